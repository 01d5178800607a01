#include "common/queue/redis/redis_queue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/queue/redis/event_codec.h"
#include "common/queue/redis/redis_events.h"
#include "common/queue/redis/script_call.h"
#include "common/queue/redis/view_codec.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

using redis::StatusOfError;

constexpr int kMaxPage = 1000;
constexpr int kListWindow = 128;  // entries that one LIST script looks at
constexpr int kListCalls = 16;    // scripts that one List runs
constexpr int kLoads = 3;         // of a script, in vain

// A key name, and the name itself where it differs (else empty).
std::string NameBeside(const std::string& name) {
  return job::KeyName(name) == name ? std::string() : name;
}

constexpr std::array<std::pair<const char*, SubmitOutcome>, 6> kSubmitOutcomes = {{
    {"NEW", SubmitOutcome::kAccepted},
    {"DUP", SubmitOutcome::kDuplicate},
    {"CONFLICT", SubmitOutcome::kConflict},
    {"PAUSED", SubmitOutcome::kPaused},
    {"FULL", SubmitOutcome::kFull},
    {"UNKNOWN", SubmitOutcome::kUnknown},
}};

std::vector<std::string> SubmitArguments(const SubmitRequest& request) {
  return {
      request.id,
      Text(request.priority),
      job::KeyName(request.model),
      job::KeyName(request.tenant),
      Text(request.cost),
      request.fingerprint,
      Text(request.keep.count()),
      Text(request.deadline_in.count() > 0 ? -request.deadline_in.count() : request.deadline_ms),
      NameBeside(request.model),
      NameBeside(request.tenant),
      request.spec,
      request.unless_forgotten ? "1" : "",
      Text(request.spend.pixel_steps) + " " + Text(request.spend.prompt_bytes) + " " +
          Text(request.spend.result_bytes)};
}

// Of the jobs that the caller sees; empty: of all.
std::string TenantKey(const Caller& caller) {
  return KeyOrEmpty(std::string(caller.only_tenant()));
}

// The shortest index that has all jobs of these states (list.lua).
const char* IndexFor(const std::vector<State>& states) {
  if (states == std::vector<State>{State::kDead}) return "dead";
  if (states.empty() || std::any_of(states.begin(), states.end(), job::IsTerminal)) return "all";
  const bool ready = std::find(states.begin(), states.end(), State::kQueued) != states.end();
  return ready ? "live" : "few";
}

StatusOr<SubmitReply> DecodeSubmit(const RedisReply& reply) {
  SubmitReply result;
  ASSIGN_OR_RETURN(result.outcome, Lookup("submit", reply[0], kSubmitOutcomes));
  switch (result.outcome) {
    case SubmitOutcome::kAccepted:
    case SubmitOutcome::kUnknown:
      break;
    case SubmitOutcome::kDuplicate:
    case SubmitOutcome::kConflict: {
      ASSIGN_OR_RETURN(result.state, DecodeState(reply[1]));
      break;
    }
    case SubmitOutcome::kPaused:
      result.retry_after = kRetryWhenPaused;
      break;
    case SubmitOutcome::kFull:
      result.full = reply[1].text;
      result.retry_after = reply[2].is_nil() ? kRetryWhenFull : Millis(reply[2].AsInteger());
      break;
  }
  return result;
}

}  // namespace

RedisQueue::RedisQueue(RedisOptions options) : options_(options), pipeline_(std::move(options)) {}
RedisQueue::~RedisQueue() = default;

StatusOr<RedisReply> RedisQueue::Command(const std::vector<std::string_view>& arguments) {
  ASSIGN_OR_RETURN(RedisReply reply, pipeline_.Call(arguments));
  if (reply.kind == RedisReply::Kind::kError) return StatusOfError(reply.text);
  return reply;
}

StatusOr<RedisReply> RedisQueue::Run(const Script& script,
                                     const std::vector<std::string>& arguments) {
  const std::string offset = Text(clock_offset_ms_.load());
  std::vector<std::string_view> command = {"EVALSHA", script.sha1, "1", options_.prefix, offset};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ASSIGN_OR_RETURN(RedisReply reply, pipeline_.Call(command));
  if (IsNoScript(reply)) {  // after SCRIPT FLUSH, a restart or a failover; EVAL loads it
    command[0] = "EVAL";
    command[1] = script.text;
    ASSIGN_OR_RETURN(reply, pipeline_.Call(command));
  }
  if (reply.kind == RedisReply::Kind::kError) return StatusOfError(reply.text);
  return reply;
}

std::vector<StatusOr<RedisReply>> RedisQueue::RunShared(
    const Script& script, const std::vector<std::string>& shared,
    const std::vector<std::vector<std::string>>& calls) {
  const std::string offset = Text(clock_offset_ms_.load());
  std::vector<std::string_view> head = {"EVALSHA", script.sha1, "1", options_.prefix, offset};
  head.insert(head.end(), shared.begin(), shared.end());
  auto replies = pipeline_.CallShared(head, calls);
  const auto unknown = [](const StatusOr<RedisReply>& reply) {
    return reply.ok() && IsNoScript(*reply);
  };
  // A command fails as a whole, so nothing has happened where Redis does not know the script.
  for (int attempt = 0; attempt < kLoads && std::any_of(replies.begin(), replies.end(), unknown);
       ++attempt) {
    const StatusOr<RedisReply> loaded = pipeline_.Call({"SCRIPT", "LOAD", script.text});
    std::vector<std::vector<std::string>> again;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (unknown(replies[i])) again.push_back(calls[i]);
    }
    std::vector<StatusOr<RedisReply>> answers(again.size(), loaded);
    if (loaded.ok()) answers = pipeline_.CallShared(head, again);
    for (size_t i = 0, k = 0; i < calls.size(); ++i) {
      if (unknown(replies[i])) replies[i] = std::move(answers[k++]);
    }
  }
  for (StatusOr<RedisReply>& reply : replies) {
    if (unknown(reply)) {
      reply = Unavailable("Redis forgot the script again and again");
    } else if (reply.ok() && reply->kind == RedisReply::Kind::kError) {
      reply = StatusOfError(reply->text);
    }
  }
  return replies;
}

StatusOr<SubmitReply> RedisQueue::Submit(const SubmitRequest& request) {
  return std::move(SubmitAll({request}).front());
}

std::vector<StatusOr<SubmitReply>> RedisQueue::SubmitAll(
    const std::vector<SubmitRequest>& requests) {
  std::vector<StatusOr<SubmitReply>> replies(requests.size(), SubmitReply());
  std::vector<std::vector<std::string>> calls;
  std::vector<size_t> sent;  // the request of each call
  for (size_t i = 0; i < requests.size(); ++i) {
    if (const Status valid = CheckSubmit(requests[i]); !valid.ok()) {
      replies[i] = valid;
      continue;
    }
    calls.push_back(SubmitArguments(requests[i]));
    sent.push_back(i);
  }
  const auto answers = RunShared(scripts::kSubmit, {}, calls);
  for (size_t k = 0; k < answers.size(); ++k) {
    if (answers[k].ok()) {
      replies[sent[k]] = DecodeSubmit(*answers[k]);
    } else {
      replies[sent[k]] = answers[k].status();
    }
  }
  return replies;
}

StatusOr<State> RedisQueue::Cancel(const JobId& id, const Caller& caller) {
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kCancel, {id, TenantKey(caller)}));
  if (reply.is_nil()) return NotFound("no job " + id);
  return DecodeState(reply);
}

StatusOr<JobView> RedisQueue::Get(const JobId& id, const Caller& caller) {
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kGet, {id, TenantKey(caller)}));
  if (reply.is_nil()) return NotFound("no job " + id);
  return DecodeView(reply);
}

StatusOr<RedriveReply> RedisQueue::Redrive(const JobId& id, const Caller& caller) {
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(const JobId next, NextGeneration(id));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kRedrive, {id, next, TenantKey(caller)}));
  const std::string& outcome = reply[0].text;
  if (outcome == "UNKNOWN") return NotFound("no job " + id);
  if (outcome == "NOT_DEAD") {
    ASSIGN_OR_RETURN(const State state, DecodeState(reply[1]));
    return NotDead(id, state);
  }
  if (outcome == "NEW" || outcome == "DUP") {
    ASSIGN_OR_RETURN(const State state, DecodeState(reply[1]));
    return RedriveReply{next, state};
  }
  ASSIGN_OR_RETURN(const SubmitReply refusal, DecodeSubmit(reply));
  return ToStatus(refusal);
}

StatusOr<ListReply> RedisQueue::List(const ListRequest& request) {
  const int limit = std::clamp(request.limit, 1, kMaxPage);
  std::string from = request.page.empty() ? "0" : request.page;
  if (from.size() > 18 || from.find_first_not_of("0123456789") != std::string::npos) {
    return InvalidArgument("page is no token of this queue");
  }
  std::vector<std::string> arguments = {
      IndexFor(request.states), from, "", Text(kListWindow), KeyOrEmpty(request.tenant),
      KeyOrEmpty(request.model)};
  for (const State state : request.states) arguments.emplace_back(job::ToString(state));

  ListReply result;
  for (int call = 0; call < kListCalls; ++call) {
    arguments[2] = Text(limit - static_cast<int>(result.jobs.size()));
    ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kList, arguments));
    for (size_t i = 1; i < reply.list.size(); ++i) {
      ASSIGN_OR_RETURN(JobView view, DecodeView(reply[i]));
      result.jobs.push_back(std::move(view));
    }
    const int64_t next = reply[0].AsInteger();
    result.next_page = next > 0 ? Text(next) : "";
    if (next <= 0 || static_cast<int>(result.jobs.size()) >= limit) break;
    arguments[1] = result.next_page;
  }
  return result;
}

Status RedisQueue::Publish(const Event& event) {
  RETURN_IF_ERROR(CheckId(event.id));
  const std::string bytes = EncodeEvent(event);
  if (bytes.size() > kMaxEventBytes) {
    return InvalidArgument("an event has at most " + std::to_string(kMaxEventBytes) + " bytes");
  }
  const std::string channel = options_.prefix + "ev";
  return Command({"PUBLISH", channel, bytes}).status();
}

std::unique_ptr<Subscription> RedisQueue::Subscribe(std::function<void(const Event&)> on_event) {
  return std::make_unique<RedisSubscription>(
      options_, [this] { return pipeline_.departures(); }, std::move(on_event));
}

}  // namespace phasor::queue
