// The Consumer half of RedisQueue.

#include <algorithm>
#include <thread>

#include "common/queue/redis/redis_queue.h"
#include "common/queue/redis/script_call.h"
#include "common/queue/redis/view_codec.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

using redis::FormatCommand;
using redis::StatusOfError;

constexpr int kTakeCalls = 64;  // scripts that one Take runs while it meets stale entries only
constexpr size_t kCompletionFields = 4;
constexpr Millis kPauseWithoutRedis{200};

constexpr std::array<std::pair<const char*, OwnerAnswer>, 6> kOwnerAnswers = {{
    {"OK", OwnerAnswer::kOk},
    {"REPEATED", OwnerAnswer::kRepeated},
    {"FENCED", OwnerAnswer::kFenced},
    {"CANCELED", OwnerAnswer::kCanceled},
    {"STALLED", OwnerAnswer::kStalled},
    {"PREEMPTED", OwnerAnswer::kPreempted},
}};

constexpr std::array<std::pair<const char*, FailOutcome>, 4> kFailOutcomes = {{
    {"REQUEUED", FailOutcome::kRequeued},
    {"SEALED", FailOutcome::kSealed},
    {"REPEATED", FailOutcome::kRepeated},
    {"FENCED", FailOutcome::kFenced},
}};

}  // namespace

StatusOr<OwnerAnswer> RedisQueue::RunForOwner(const Script& script,
                                              const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(script, arguments));
  return Lookup(script.name, reply, kOwnerAnswers);
}

StatusOr<std::optional<Grant>> RedisQueue::Take(const TakeRequest& request) {
  ASSIGN_OR_RETURN(NextJob next, TakeAfter(nullptr, request));
  return std::move(next.grant);
}

StatusOr<NextJob> RedisQueue::CompleteAndTake(const Completion& done, const TakeRequest& request) {
  RETURN_IF_ERROR(CheckFence(done.fence));
  return TakeAfter(&done, request);
}

StatusOr<NextJob> RedisQueue::TakeAfter(const Completion* done, const TakeRequest& request) {
  RETURN_IF_ERROR(CheckTake(request));
  std::vector<std::string> models = {Text(static_cast<int64_t>(request.models.size()))};
  for (const std::string& model : request.models) models.push_back(job::KeyName(model));
  NextJob next;
  for (int call = 0; call < kTakeCalls; ++call) {
    std::vector<std::string> own = {request.worker, KeyOrEmpty(request.node), request.nonce,
                                    Text(request.lease.count())};
    if (done != nullptr) {
      own.insert(own.end(),
                 {done->fence.id, Text(done->fence.epoch), done->fence.nonce, done->result});
    } else {
      own.resize(own.size() + kCompletionFields);
    }
    ASSIGN_OR_RETURN(const RedisReply reply, RunShared(scripts::kTake, models, {own}).front());
    if (done != nullptr) {
      ASSIGN_OR_RETURN(next.completed, Lookup(scripts::kTake.name, reply[0], kOwnerAnswers));
      done = nullptr;
    }
    if (reply.list.size() == 1) break;     // no job
    if (reply.list.size() == 2) continue;  // AGAIN
    ASSIGN_OR_RETURN(next.grant, DecodeGrant(reply, request.nonce));
    break;
  }
  return next;
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
  const std::vector<std::string> own = {fence.id, Text(fence.epoch), fence.nonce, result};
  ASSIGN_OR_RETURN(const RedisReply reply, RunShared(scripts::kComplete, {}, {own}).front());
  return Lookup(scripts::kComplete.name, reply, kOwnerAnswers);
}

StatusOr<FailOutcome> RedisQueue::Fail(const Failure& failure) {
  RETURN_IF_ERROR(CheckFailure(failure));
  const Fence& fence = failure.fence;
  ASSIGN_OR_RETURN(
      const RedisReply reply,
      Run(scripts::kFail, {fence.id, Text(fence.epoch), fence.nonce, failure.retryable ? "1" : "0",
                           Text(failure.delay.count()), failure.reason, failure.code,
                           failure.worker_lost ? "1" : "0", failure.fault}));
  return Lookup("fail", reply, kFailOutcomes);
}

StatusOr<OwnerAnswer> RedisQueue::Release(const Fence& fence, const std::string& checkpoint,
                                          int step) {
  RETURN_IF_ERROR(CheckFence(fence));
  return RunForOwner(scripts::kRelease,
                     {fence.id, Text(fence.epoch), fence.nonce, checkpoint, Text(step)});
}

}  // namespace phasor::queue
