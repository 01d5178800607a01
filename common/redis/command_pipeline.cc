#include "common/redis/command_pipeline.h"

#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace phasor::redis {
namespace {

constexpr size_t kMaxBatch = 512;
constexpr size_t kMaxBatchBytes = 4 << 20;
constexpr size_t kMaxShared = 64;  // calls of one command: others wait while Redis runs it
constexpr int kPauseMillis = 50;   // between attempts to connect, and up to twice as much jitter

}  // namespace

// A thread that waits for the replies to its calls.
struct CommandPipeline::Caller {
  size_t due = 0;      // replies
  bool leads = false;  // it is to exchange what waits
  CondVar woken;
};

struct CommandPipeline::Pending {
  std::string head;       // of a shared command, without the count of arguments; else empty
  size_t head_count = 0;  // arguments in it
  std::string command;    // or a call's own arguments
  size_t own_count = 0;
  std::shared_ptr<Caller> caller;
  // Once it is answered:
  bool answered = false;
  StatusOr<RedisReply> reply = Unavailable("not sent");
};

CommandPipeline::CommandPipeline(RedisOptions options)
    : options_(std::move(options)), jitter_(std::random_device{}()) {}

StatusOr<RedisReply> CommandPipeline::Call(const std::vector<std::string_view>& arguments) {
  return std::move(CallAll({FormatCommand(arguments)}).front());
}

std::vector<StatusOr<RedisReply>> CommandPipeline::CallAll(std::vector<std::string> commands) {
  Batch calls;
  for (std::string& command : commands) {
    calls.push_back(std::make_shared<Pending>());
    calls.back()->command = std::move(command);
  }
  return Wait(calls);
}

std::vector<StatusOr<RedisReply>> CommandPipeline::CallShared(
    const std::vector<std::string_view>& head, const std::vector<std::vector<std::string>>& calls) {
  const std::string head_bytes = FormatArguments(head);
  Batch pending;
  for (const std::vector<std::string>& own : calls) {
    pending.push_back(std::make_shared<Pending>());
    pending.back()->head = head_bytes;
    pending.back()->head_count = head.size();
    pending.back()->command = FormatArguments({own.begin(), own.end()});
    pending.back()->own_count = own.size();
  }
  return Wait(pending);
}

std::vector<StatusOr<RedisReply>> CommandPipeline::Wait(Batch calls) {
  if (calls.empty()) return {};
  // The batch before this one may use up its time limit, too.
  const Millis limit = 2 * (options_.connect_timeout + options_.command_timeout);
  const SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  const auto caller = std::make_shared<Caller>();
  caller->due = calls.size();
  for (const auto& call : calls) call->caller = caller;

  MutexLock lock(&mu_);
  waiting_.insert(waiting_.end(), calls.begin(), calls.end());
  caller->leads = !led_;
  led_ = true;
  bool in_time = true;
  while (caller->due > 0 && !caller->leads && in_time) {
    in_time = caller->woken.WaitUntil(&mu_, deadline);
  }
  // Too late: what was not sent never is, and nobody passes the lead to who has left.
  if (!in_time) std::erase_if(waiting_, [&](const auto& call) { return call->caller == caller; });
  if (caller->leads) Lead(*caller, deadline);
  std::vector<StatusOr<RedisReply>> replies;
  for (const auto& call : calls) {
    if (call->answered) {
      replies.push_back(std::move(call->reply));
    } else {
      replies.push_back(Unavailable("no answer from Redis at " + ToString(options_.address) +
                                    " within " + std::to_string(limit.count()) + " ms"));
    }
  }
  return replies;
}

void CommandPipeline::Lead(const Caller& caller, SteadyTime deadline) {
  // The lead may reach a caller whose time is over and whose calls wait no more: it has no reply to
  // hope for, and would otherwise serve the others for as long as they call.
  const auto in_time = [deadline] { return std::chrono::steady_clock::now() < deadline; };
  while (caller.due > 0 && !waiting_.empty() && in_time()) {
    const Batch batch = NextBatch();
    mu_.Unlock();
    Status status = EnsureConnected();
    if (status.ok()) {
      status = Exchange(batch);
      if (!status.ok()) connection_.reset();
    }
    mu_.Lock();
    for (const auto& call : batch) {
      if (!call->answered) Answer(*call, status);
    }
  }
  std::erase_if(waiting_, [&](const auto& call) { return call->caller.get() == &caller; });
  led_ = !waiting_.empty();
  if (!led_) return;
  Caller& next = *waiting_.front()->caller;
  next.leads = true;
  next.woken.Signal();
}

CommandPipeline::Batch CommandPipeline::NextBatch() {
  Batch batch;
  size_t bytes = 0;
  while (!waiting_.empty() && batch.size() < kMaxBatch && bytes < kMaxBatchBytes) {
    bytes += waiting_.front()->command.size();
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void CommandPipeline::Answer(Pending& call, StatusOr<RedisReply> reply) {
  call.reply = std::move(reply);
  call.answered = true;
  if (--call.caller->due == 0) call.caller->woken.Signal();
}

Status CommandPipeline::EnsureConnected() {
  if (connection_ != nullptr && !connection_->IsClosedByServer()) return OkStatus();
  connection_.reset();
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now < next_attempt_) return last_failure_;
  StatusOr<std::unique_ptr<RedisConnection>> connected = RedisConnection::Connect(options_);
  if (connected.ok()) {
    connection_ = std::move(connected).value();
    ++connections_;
    return OkStatus();
  }
  Disconnect(Unavailable(phasor::Message(connected.status())));
  return last_failure_;
}

void CommandPipeline::Disconnect(Status why) {
  connection_.reset();
  last_failure_ = std::move(why);
  next_attempt_ = std::chrono::steady_clock::now() +
                  Millis(kPauseMillis + static_cast<int>(jitter_() % (2 * kPauseMillis)));
}

std::vector<CommandPipeline::Message> CommandPipeline::Merge(const Batch& batch) {
  std::vector<Message> messages;
  std::map<std::string_view, size_t> open;  // head -> a message that has room
  for (const auto& pending : batch) {
    const auto found = pending->head.empty() ? open.end() : open.find(pending->head);
    if (found != open.end() && messages[found->second].size() < kMaxShared) {
      messages[found->second].push_back(pending.get());
      continue;
    }
    if (!pending->head.empty()) open[pending->head] = messages.size();
    messages.push_back({pending.get()});
  }
  return messages;
}

Status CommandPipeline::Exchange(const Batch& batch) {
  const std::vector<Message> messages = Merge(batch);
  for (const Message& message : messages) {
    std::string command;
    if (!message[0]->head.empty()) {
      const size_t count = message[0]->head_count + message.size() * message[0]->own_count;
      command = "*" + std::to_string(count) + "\r\n" + message[0]->head;
    }
    for (const Pending* call : message) command += call->command;
    RETURN_IF_ERROR(connection_->Append(command));
  }
  std::optional<Status> wrong_server;
  for (const Message& message : messages) {
    ASSIGN_OR_RETURN(RedisReply reply, connection_->Read());
    if (IsWrongServer(reply)) wrong_server = StatusOfError(reply.text);
    const bool one_each = !message[0]->head.empty() && reply.kind == RedisReply::Kind::kList &&
                          reply.list.size() == message.size();
    MutexLock lock(&mu_);
    for (size_t i = 0; i < message.size(); ++i) {
      Answer(*message[i], one_each ? std::move(reply.list[i]) : reply);
    }
  }
  if (wrong_server) {
    ++departures_;
    Disconnect(*std::move(wrong_server));
  }
  return OkStatus();
}

}  // namespace phasor::redis
