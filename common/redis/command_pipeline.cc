#include "common/redis/command_pipeline.h"

#include <chrono>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace phasor::redis {
namespace {

constexpr size_t kMaxBatch = 512;
constexpr size_t kMaxBatchBytes = 4 << 20;
constexpr int kPauseMillis = 50;  // between attempts to connect, and up to twice as much jitter

}  // namespace

struct CommandPipeline::Pending {
  std::string command;
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
  {
    MutexLock lock(&mu_);
    waiting_.insert(waiting_.end(), calls.begin(), calls.end());
  }
  // The batch before this one may use up its time limit, too.
  const Millis limit = 2 * (options_.connect_timeout + options_.command_timeout);
  const absl::Time deadline = absl::Now() + absl::FromChrono(limit);
  // Calls end in order: once the last has, so have the others, and the caller slept only once.
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
    size_t answered = 0;
    Status status = EnsureConnected();
    if (status.ok()) {
      status = Exchange(batch, &answered);
      if (!status.ok()) connection_.reset();
    }
    for (; answered < batch.size(); ++answered) {
      batch[answered]->reply = status;
      batch[answered]->done.Notify();
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

Status CommandPipeline::Exchange(const Batch& batch, size_t* answered) {
  for (const auto& pending : batch) RETURN_IF_ERROR(connection_->Append(pending->command));
  for (const auto& pending : batch) {
    ASSIGN_OR_RETURN(RedisReply reply, connection_->Read());
    pending->reply = std::move(reply);
    pending->done.Notify();
    ++*answered;
  }
  return OkStatus();
}

}  // namespace phasor::redis
