#include "common/redis/command_pipeline.h"

#include <chrono>
#include <map>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace phasor::redis {
namespace {

constexpr size_t kMaxBatch = 512;
constexpr size_t kMaxBatchBytes = 4 << 20;
constexpr size_t kMaxShared = 64;  // calls of one command: others wait while Redis runs it
constexpr int kPauseMillis = 50;   // between attempts to connect, and up to twice as much jitter

}  // namespace

struct CommandPipeline::Pending {
  std::string head;       // of a shared command, without the count of arguments; else empty
  size_t head_count = 0;  // arguments in it
  std::string command;    // or a call's own arguments
  size_t own_count = 0;
  // Written by the I/O thread before `done`, read by the caller after it.
  StatusOr<RedisReply> reply = Unavailable("the connection to Redis was closed");
  absl::Notification done;
};

CommandPipeline::CommandPipeline(RedisOptions options)
    : options_(std::move(options)), jitter_(std::random_device{}()), thread_([this] { Run(); }) {}

CommandPipeline::~CommandPipeline() {
  {
    MutexLock lock(&mu_);
    stopped_ = true;
  }
  thread_.join();
}

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

std::vector<StatusOr<RedisReply>> CommandPipeline::Wait(const Batch& calls) {
  {
    MutexLock lock(&mu_);
    waiting_.insert(waiting_.end(), calls.begin(), calls.end());
  }
  // The batch before this one may use up its time limit, too.
  const Millis limit = 2 * (options_.connect_timeout + options_.command_timeout);
  const absl::Time deadline = absl::Now() + absl::FromChrono(limit);
  // Calls of one head end in order: once the last has, so have the others, and the caller slept
  // only once.
  if (!calls.empty()) calls.back()->done.WaitForNotificationWithDeadline(deadline);
  std::vector<StatusOr<RedisReply>> replies;
  for (const auto& call : calls) {
    if (call->done.HasBeenNotified()) {
      replies.push_back(std::move(call->reply));
    } else {
      replies.push_back(Unavailable("no answer from Redis at " + ToString(options_.address) +
                                    " within " + std::to_string(limit.count()) + " ms"));
    }
  }
  return replies;
}

CommandPipeline::Batch CommandPipeline::NextBatch() {
  MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &CommandPipeline::HasWork));
  Batch batch;
  if (stopped_) return batch;
  size_t bytes = 0;
  while (!waiting_.empty() && batch.size() < kMaxBatch && bytes < kMaxBatchBytes) {
    bytes += waiting_.front()->command.size();
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void CommandPipeline::Run() {
  while (true) {
    const Batch batch = NextBatch();
    if (batch.empty()) break;
    Status status = EnsureConnected();
    if (status.ok()) {
      status = Exchange(batch);
      if (!status.ok()) connection_.reset();
    }
    for (const auto& pending : batch) {
      if (pending->done.HasBeenNotified()) continue;
      pending->reply = status;
      pending->done.Notify();
    }
  }
  MutexLock lock(&mu_);
  for (const auto& pending : waiting_) pending->done.Notify();
  waiting_.clear();
}

Status CommandPipeline::EnsureConnected() {
  if (connection_ != nullptr && !connection_->IsClosedByServer()) return OkStatus();
  connection_.reset();
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now < next_attempt_) return last_failure_;
  StatusOr<std::unique_ptr<RedisConnection>> connected = RedisConnection::Connect(options_);
  if (connected.ok()) {
    connection_ = std::move(connected).value();
    return OkStatus();
  }
  last_failure_ = connected.status();
  next_attempt_ = std::chrono::steady_clock::now() +
                  Millis(kPauseMillis + static_cast<int>(jitter_() % (2 * kPauseMillis)));
  return last_failure_;
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
  for (const Message& message : messages) {
    ASSIGN_OR_RETURN(RedisReply reply, connection_->Read());
    const bool one_each = !message[0]->head.empty() && reply.kind == RedisReply::Kind::kList &&
                          reply.list.size() == message.size();
    for (size_t i = 0; i < message.size(); ++i) {
      message[i]->reply = one_each ? std::move(reply.list[i]) : reply;
      message[i]->done.Notify();
    }
  }
  return OkStatus();
}

}  // namespace phasor::redis
