#include "common/queue/redis/redis_queue.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "common/queue/redis/event_codec.h"
#include "common/queue/redis/redis_events.h"
#include "common/queue/redis/view_codec.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

using redis::FormatCommand;
using redis::StatusOfError;

constexpr Millis kRetryWhenFull{2'000};
constexpr Millis kRetryWhenPaused{5'000};
constexpr int kMaxPage = 1000;
constexpr int kListWindow = 1000;  // entries that one LIST script looks at
constexpr int kListCalls = 16;     // scripts that one List runs
constexpr int kTakeCalls = 64;     // scripts that one Take runs while it meets stale entries only
constexpr Millis kPauseWithoutRedis{200};

std::string Text(int64_t number) { return std::to_string(number); }
std::string Text(Priority priority) { return Text(static_cast<int64_t>(priority)); }

// A key name, and the name itself where it differs (else empty).
std::string NameBeside(const std::string& name) {
  return job::KeyName(name) == name ? std::string() : name;
}

std::string KeyOrEmpty(const std::string& name) {
  return name.empty() ? std::string() : job::KeyName(name);
}

Status UnknownReply(const Script& script, const RedisReply& reply) {
  return DataLoss(std::string("Redis: the script ") + script.name + " answered '" + reply.text +
                  "'");
}

template <typename Answer, size_t n>
StatusOr<Answer> Lookup(const Script& script, const RedisReply& reply,
                        const std::array<std::pair<const char*, Answer>, n>& table) {
  for (const auto& [name, answer] : table) {
    if (reply.text == name) return answer;
  }
  return UnknownReply(script, reply);
}

constexpr std::array<std::pair<const char*, OwnerAnswer>, 5> kOwnerAnswers = {{
    {"OK", OwnerAnswer::kOk},
    {"REPEATED", OwnerAnswer::kRepeated},
    {"FENCED", OwnerAnswer::kFenced},
    {"CANCELED", OwnerAnswer::kCanceled},
    {"STALLED", OwnerAnswer::kStalled},
}};

constexpr std::array<std::pair<const char*, FailOutcome>, 4> kFailOutcomes = {{
    {"REQUEUED", FailOutcome::kRequeued},
    {"SEALED", FailOutcome::kSealed},
    {"REPEATED", FailOutcome::kRepeated},
    {"FENCED", FailOutcome::kFenced},
}};

constexpr std::array<std::pair<const char*, SubmitOutcome>, 5> kSubmitOutcomes = {{
    {"NEW", SubmitOutcome::kAccepted},
    {"DUP", SubmitOutcome::kDuplicate},
    {"CONFLICT", SubmitOutcome::kConflict},
    {"PAUSED", SubmitOutcome::kPaused},
    {"FULL", SubmitOutcome::kFull},
}};

std::vector<std::string> SubmitArguments(const SubmitRequest& request) {
  return {request.id,
          Text(request.priority),
          job::KeyName(request.model),
          job::KeyName(request.tenant),
          Text(request.cost),
          request.fingerprint,
          Text(request.keep.count()),
          Text(request.deadline_ms),
          NameBeside(request.model),
          NameBeside(request.tenant),
          request.spec};
}

StatusOr<SubmitReply> DecodeSubmit(const RedisReply& reply) {
  SubmitReply result;
  ASSIGN_OR_RETURN(result.outcome, Lookup(scripts::kSubmit, reply[0], kSubmitOutcomes));
  switch (result.outcome) {
    case SubmitOutcome::kAccepted:
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
      result.retry_after = kRetryWhenFull;
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

StatusOr<OwnerAnswer> RedisQueue::RunForOwner(const Script& script,
                                              const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(script, arguments));
  return Lookup(script, reply, kOwnerAnswers);
}

Status RedisQueue::Check() { return Run(scripts::kStats, {}).status(); }

StatusOr<SubmitReply> RedisQueue::Submit(const SubmitRequest& request) {
  RETURN_IF_ERROR(CheckSubmit(request));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kSubmit, SubmitArguments(request)));
  return DecodeSubmit(reply);
}

std::vector<StatusOr<SubmitReply>> RedisQueue::SubmitAll(
    const std::vector<SubmitRequest>& requests) {
  const std::string offset = Text(clock_offset_ms_.load());
  std::vector<StatusOr<SubmitReply>> replies(requests.size(), SubmitReply());
  std::vector<std::string> commands;
  std::vector<size_t> sent;  // the request of each command
  for (size_t i = 0; i < requests.size(); ++i) {
    if (const Status valid = CheckSubmit(requests[i]); !valid.ok()) {
      replies[i] = valid;
      continue;
    }
    const std::vector<std::string> arguments = SubmitArguments(requests[i]);
    std::vector<std::string_view> command = {"EVALSHA", scripts::kSubmit.sha1, "1", options_.prefix,
                                             offset};
    command.insert(command.end(), arguments.begin(), arguments.end());
    commands.push_back(FormatCommand(command));
    sent.push_back(i);
  }
  const auto answers = pipeline_.CallAll(std::move(commands));
  for (size_t k = 0; k < answers.size(); ++k) {
    const StatusOr<RedisReply>& answer = answers[k];
    StatusOr<SubmitReply>& reply = replies[sent[k]];
    if (!answer.ok()) {
      reply = answer.status();
    } else if (IsNoScript(*answer)) {
      reply = Submit(requests[sent[k]]);  // loads it
    } else if (answer->kind == RedisReply::Kind::kError) {
      reply = StatusOfError(answer->text);
    } else {
      reply = DecodeSubmit(*answer);
    }
  }
  return replies;
}

StatusOr<State> RedisQueue::Cancel(const JobId& id, const std::string& tenant) {
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kCancel, {id, KeyOrEmpty(tenant)}));
  if (reply.is_nil()) return NotFound("no job " + id);
  return DecodeState(reply);
}

StatusOr<JobView> RedisQueue::Get(const JobId& id) {
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kGet, {id}));
  if (reply.is_nil()) return NotFound("no job " + id);
  return DecodeView(reply);
}

StatusOr<ListReply> RedisQueue::List(const ListRequest& request) {
  const int limit = std::clamp(request.limit, 1, kMaxPage);
  std::string from = request.page.empty() ? "0" : request.page;
  if (from.size() > 18 || from.find_first_not_of("0123456789") != std::string::npos) {
    return InvalidArgument("page is no token of this queue");
  }
  std::vector<std::string> arguments = {from, "", Text(kListWindow), KeyOrEmpty(request.tenant),
                                        KeyOrEmpty(request.model)};
  for (const State state : request.states) arguments.emplace_back(job::ToString(state));

  ListReply result;
  for (int call = 0; call < kListCalls; ++call) {
    arguments[1] = Text(limit - static_cast<int>(result.jobs.size()));
    ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kList, arguments));
    for (size_t i = 1; i < reply.list.size(); ++i) {
      ASSIGN_OR_RETURN(JobView view, DecodeView(reply[i]));
      result.jobs.push_back(std::move(view));
    }
    const int64_t next = reply[0].AsInteger();
    result.next_page = next > 0 ? Text(next) : "";
    if (next <= 0 || static_cast<int>(result.jobs.size()) >= limit) break;
    arguments[0] = result.next_page;
  }
  return result;
}

StatusOr<std::optional<Grant>> RedisQueue::Take(const TakeRequest& request) {
  RETURN_IF_ERROR(CheckTake(request));
  std::vector<std::string> arguments = {request.worker, KeyOrEmpty(request.node), request.nonce,
                                        Text(request.lease.count())};
  for (const std::string& model : request.models) arguments.push_back(job::KeyName(model));
  for (int call = 0; call < kTakeCalls; ++call) {
    ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kTake, arguments));
    if (reply.list.empty()) return std::optional<Grant>();
    if (reply.list.size() == 1) continue;  // AGAIN
    ASSIGN_OR_RETURN(Grant grant, DecodeGrant(reply, request.nonce));
    return std::optional<Grant>(std::move(grant));
  }
  return std::optional<Grant>();
}

void RedisQueue::WaitForWork(Millis timeout) {
  const SteadyTime end = std::chrono::steady_clock::now() + timeout;
  bool reached = false;
  {
    MutexLock lock(&bell_mu_);
    reached = WaitForBell(timeout).ok();
    if (!reached) bell_.reset();
  }
  // Without Redis the caller would otherwise poll as fast as it can.
  if (!reached) {
    std::this_thread::sleep_until(
        std::min(end, std::chrono::steady_clock::now() + kPauseWithoutRedis));
  }
}

Status RedisQueue::WaitForBell(Millis timeout) {
  if (bell_ == nullptr || bell_->IsClosedByServer()) {
    ASSIGN_OR_RETURN(bell_, RedisConnection::Connect(options_));
  }
  const std::string bell = options_.prefix + "bell";
  const std::string seconds =
      Text(timeout.count() / 1000) + "." + Text(1000 + timeout.count() % 1000).substr(1);
  if (timeout.count() <= 0) return OkStatus();
  RETURN_IF_ERROR(bell_->Append(FormatCommand({"BLPOP", bell, seconds})));
  ASSIGN_OR_RETURN(const auto reply,
                   bell_->ReadWithin(timeout + options_.command_timeout, /*wake=*/-1));
  if (!reply) return Unavailable("no answer to BLPOP");
  if (reply->kind == RedisReply::Kind::kError) return StatusOfError(reply->text);
  return OkStatus();
}

StatusOr<OwnerAnswer> RedisQueue::Renew(const RenewRequest& request) {
  RETURN_IF_ERROR(CheckRenew(request));
  const Fence& fence = request.fence;
  return RunForOwner(scripts::kRenew,
                     {fence.id, Text(fence.epoch), fence.nonce, Text(request.lease.count()),
                      Text(request.stall.count()), Text(request.units), Text(request.step),
                      std::string(job::ToString(request.phase)), request.checkpoint,
                      Text(request.checkpoint_step)});
}

StatusOr<OwnerAnswer> RedisQueue::Complete(const Fence& fence, const std::string& result) {
  RETURN_IF_ERROR(CheckFence(fence));
  return RunForOwner(scripts::kComplete, {fence.id, Text(fence.epoch), fence.nonce, result});
}

StatusOr<FailOutcome> RedisQueue::Fail(const Failure& failure) {
  RETURN_IF_ERROR(CheckFailure(failure));
  const Fence& fence = failure.fence;
  ASSIGN_OR_RETURN(
      const RedisReply reply,
      Run(scripts::kFail, {fence.id, Text(fence.epoch), fence.nonce, failure.retryable ? "1" : "0",
                           Text(failure.delay.count()), failure.reason, failure.code}));
  return Lookup(scripts::kFail, reply, kFailOutcomes);
}

StatusOr<OwnerAnswer> RedisQueue::Release(const Fence& fence, const std::string& checkpoint,
                                          int step) {
  RETURN_IF_ERROR(CheckFence(fence));
  return RunForOwner(scripts::kRelease,
                     {fence.id, Text(fence.epoch), fence.nonce, checkpoint, Text(step)});
}

StatusOr<int> RedisQueue::Recover(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kRecover, {Text(std::max(limit, 1))}));
  return static_cast<int>(reply.AsInteger());
}

StatusOr<std::vector<SealRequest>> RedisQueue::PendingSeals(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kSeals, {Text(std::max(limit, 1))}));
  std::vector<SealRequest> seals;
  for (const RedisReply& row : reply.list) {
    ASSIGN_OR_RETURN(SealRequest seal, DecodeSeal(row));
    seals.push_back(std::move(seal));
  }
  return seals;
}

Status RedisQueue::Adopt(const JobId& id, State state, const std::string& result) {
  RETURN_IF_ERROR(CheckId(id));
  if (!job::IsTerminal(state)) return InvalidArgument("state to adopt is not terminal");
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(scripts::kAdopt, {id, std::string(job::ToString(state)), result}));
  return reply.AsInteger() == 1 ? OkStatus() : NotFound("no job " + id);
}

StatusOr<QueueStats> RedisQueue::Stats() {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kStats, {}));
  return DecodeStats(reply);
}

Status RedisQueue::SetLimits(const QueueLimits& limits) {
  RETURN_IF_ERROR(CheckLimits(limits));
  const std::string jobs = Text(limits.max_jobs);
  const std::string per_tenant = Text(limits.max_per_tenant);
  const std::string tries = Text(limits.max_tries);
  const std::string crashes = Text(limits.max_crashes);
  const std::string stall = Text(limits.stall.count());
  const std::string key = options_.prefix + "cfg";
  return Command({"HSET", key, "max_jobs", jobs, "max_per_tenant", per_tenant, "max_tries", tries,
                  "max_crashes", crashes, "stall", stall})
      .status();
}

Status RedisQueue::SetPaused(bool paused) {
  const std::string key = options_.prefix + "cfg";
  return Command({"HSET", key, "paused", paused ? "1" : "0"}).status();
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
  return std::make_unique<RedisSubscription>(options_, std::move(on_event));
}

}  // namespace phasor::queue
