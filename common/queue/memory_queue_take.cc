// The Consumer half of MemoryQueue.

#include <algorithm>

#include "common/queue/memory_queue.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

constexpr int kPromotionsPerTake = 32;
constexpr int kRecoveriesPerTake = 8;
constexpr int kExpiriesPerTake = 32;

}  // namespace

StatusOr<std::optional<Grant>> MemoryQueue::Take(const TakeRequest& request) {
  RETURN_IF_ERROR(CheckTake(request));
  MutexLock lock(&mu_);
  if (const auto held = by_nonce_.find(request.nonce); held != by_nonce_.end()) {
    return GrantOf(jobs_.at(held->second));
  }
  Sweep(kPromotionsPerTake, kRecoveriesPerTake, kExpiriesPerTake);
  std::optional<Choice> choice = Choose(request.models);
  if (!choice) {
    bells_ = 0;
    return std::optional<Grant>();
  }
  return TakeChosen(request, *choice);
}

std::vector<std::string> MemoryQueue::ModelsWithJobs(const std::vector<std::string>& models,
                                                     int cls) {
  std::vector<std::string> with_jobs;
  for (const std::string& model : models) {
    const auto ring = ready_.find({model, cls});
    if (ring != ready_.end() && !ring->second.empty()) with_jobs.push_back(model);
  }
  return with_jobs;
}

int64_t MemoryQueue::HeadWait(const std::string& model, int cls) {
  const auto ring = ready_.find({model, cls});
  if (ring == ready_.end()) return 0;
  const std::optional<JobId> head = ring->second.Head();
  return head ? clock_.WallMillis() - jobs_.at(*head).view.enqueued_ms : 0;
}

std::optional<int> MemoryQueue::OverdueClass(const std::vector<std::string>& models) {
  std::optional<int> overdue;
  int64_t most = 0;
  for (int cls = 1; cls < 4; ++cls) {
    for (const std::string& model : models) {
      const int64_t late = HeadWait(model, cls) - kMaxWaitMs[cls];
      if (late <= most) continue;
      most = late;
      overdue = cls;
    }
  }
  return overdue;
}

std::optional<MemoryQueue::Choice> MemoryQueue::Choose(const std::vector<std::string>& models) {
  std::array<bool, 4> ready{};
  for (int cls = 0; cls < 4; ++cls) ready[cls] = !ModelsWithJobs(models, cls).empty();
  std::optional<int> cls = stride_.Pick(ready);
  if (!cls) return std::nullopt;
  Choice choice;
  choice.cls = *cls;
  if (stride_.IsAgedTurn()) {
    if (const std::optional<int> overdue = OverdueClass(models)) {
      choice.cls = *overdue;
      choice.aged = true;
    }
  }

  std::vector<std::string> candidates = ModelsWithJobs(models, choice.cls);
  size_t chosen = 0;
  int64_t most = kMaxWaitMs[choice.cls] / 4;
  for (size_t i = 1; i < candidates.size(); ++i) {
    const bool passed_over = passed_over_[{candidates[i], choice.cls}] >= kMaxPassedOver;
    const int64_t wait = passed_over ? INT64_MAX : HeadWait(candidates[i], choice.cls);
    if (wait <= most) continue;
    most = wait;
    chosen = i;
  }
  choice.model = candidates[chosen];
  candidates.erase(candidates.begin() + static_cast<ptrdiff_t>(chosen));
  choice.passed_over = std::move(candidates);
  return choice;
}

std::optional<Grant> MemoryQueue::TakeChosen(const TakeRequest& request, const Choice& choice) {
  TenantRing& ring = ready_[{choice.model, choice.cls}];
  const std::string tenant = *ring.NextTenant();
  Job& job = jobs_.at(ring.List(tenant)->front());
  ring.Pop(tenant, job.cost);
  stride_.Charge(choice.cls, choice.aged);
  passed_over_.erase({choice.model, choice.cls});
  for (const std::string& model : choice.passed_over) ++passed_over_[{model, choice.cls}];

  const int64_t now = clock_.WallMillis();
  deadlines_.erase({job.view.deadline_ms, job.view.id});
  ++job.view.epoch;
  job.view.worker = request.worker;
  job.view.step = job.checkpoint_step;
  job.node = request.node;
  job.nonce = request.nonce;
  job.units = 0;
  job.progress_ms = now;
  job.lease = request.lease;
  job.index_ms = now + request.lease.count();
  leases_.insert({job.index_ms, job.view.id});
  by_nonce_[job.nonce] = job.view.id;
  EnterState(job, State::kLeased);
  return GrantOf(job);
}

Grant MemoryQueue::GrantOf(const Job& job) const {
  return Grant{.fence = {job.view.id, job.view.epoch, job.nonce},
               .state = job.view.state,
               .priority = job.view.priority,
               .model = job.view.model,
               .tenant = job.view.tenant,
               .crashes = job.view.crashes,
               .tries = job.view.tries,
               .step = job.checkpoint_step,
               .checkpoint = job.checkpoint,
               .solo = job.solo,
               .enqueued_ms = job.view.enqueued_ms,
               .deadline_ms = job.view.deadline_ms,
               .lease = job.lease,
               .spec = job.view.spec};
}

void MemoryQueue::WaitForWork(Millis timeout) {
  MutexLock lock(&mu_);
  const auto rung = [](int64_t* bells) { return *bells > 0; };
  if (mu_.AwaitWithTimeout(absl::Condition(+rung, &bells_), absl::FromChrono(timeout))) --bells_;
}

bool MemoryQueue::IsOwner(const Job& job, const Fence& fence) const {
  return job.view.epoch == fence.epoch && job.nonce == fence.nonce;
}

OwnerAnswer MemoryQueue::AnswerToStranger(const Job* job, const Fence& fence) const {
  const bool canceled =
      job != nullptr && job->view.state == State::kCanceled && IsOwner(*job, fence);
  return canceled ? OwnerAnswer::kCanceled : OwnerAnswer::kFenced;
}

StatusOr<OwnerAnswer> MemoryQueue::Renew(const RenewRequest& request) {
  RETURN_IF_ERROR(CheckRenew(request));
  MutexLock lock(&mu_);
  Job* job = Find(request.fence.id);
  if (job == nullptr || job->view.state != State::kLeased || !IsOwner(*job, request.fence)) {
    return AnswerToStranger(job, request.fence);
  }
  const int64_t now = clock_.WallMillis();
  job->view.phase = request.phase;
  job->view.step = request.step;
  if (!request.checkpoint.empty()) {
    job->checkpoint = request.checkpoint;
    job->checkpoint_step = request.checkpoint_step;
  }
  if (request.units > job->units) {
    job->units = request.units;
    job->progress_ms = now;
  } else if (now - job->progress_ms > std::max(limits_.stall, request.stall).count()) {
    return OwnerAnswer::kStalled;
  }
  leases_.erase({job->index_ms, job->view.id});
  job->index_ms = std::max(job->index_ms, now + request.lease.count());
  leases_.insert({job->index_ms, job->view.id});
  return OwnerAnswer::kOk;
}

StatusOr<OwnerAnswer> MemoryQueue::Complete(const Fence& fence, const std::string& result) {
  RETURN_IF_ERROR(CheckFence(fence));
  MutexLock lock(&mu_);
  Job* job = Find(fence.id);
  if (job == nullptr || !IsOwner(*job, fence)) return OwnerAnswer::kFenced;
  if (job->view.state == State::kDone) return OwnerAnswer::kRepeated;
  if (job->view.state != State::kLeased) return AnswerToStranger(job, fence);
  job->view.result = result;
  job->view.reason.clear();
  job->view.code.clear();
  Finish(*job, State::kDone);
  return OwnerAnswer::kOk;
}

StatusOr<FailOutcome> MemoryQueue::Fail(const Failure& failure) {
  RETURN_IF_ERROR(CheckFailure(failure));
  MutexLock lock(&mu_);
  Job* job = Find(failure.fence.id);
  if (job == nullptr) return FailOutcome::kFenced;
  if (job->back_nonce == failure.fence.nonce) return FailOutcome::kRepeated;
  if (job->view.state != State::kLeased || !IsOwner(*job, failure.fence)) {
    return FailOutcome::kFenced;
  }
  job->back_nonce = job->nonce;
  ++job->view.tries;
  job->view.step = job->checkpoint_step;
  job->view.reason = failure.reason;
  job->view.code = failure.code;
  if (!failure.retryable || job->view.tries >= limits_.max_tries) {
    Seal(*job, State::kDead, failure.reason, failure.code);
    return FailOutcome::kSealed;
  }
  LeaveIndex(*job);
  if (failure.delay.count() == 0) {
    MakeReady(*job, /*at_head=*/true);
    return FailOutcome::kRequeued;
  }
  job->view.worker.clear();
  job->index_ms = clock_.WallMillis() + failure.delay.count();
  delays_.insert({job->index_ms, job->view.id});
  EnterState(*job, State::kWaiting);
  return FailOutcome::kRequeued;
}

StatusOr<OwnerAnswer> MemoryQueue::Release(const Fence& fence, const std::string& checkpoint,
                                           int step) {
  RETURN_IF_ERROR(CheckFence(fence));
  MutexLock lock(&mu_);
  Job* job = Find(fence.id);
  if (job == nullptr) return OwnerAnswer::kFenced;
  if (job->back_nonce == fence.nonce) return OwnerAnswer::kRepeated;
  if (job->view.state != State::kLeased || !IsOwner(*job, fence)) {
    return AnswerToStranger(job, fence);
  }
  LeaveIndex(*job);
  job->back_nonce = job->nonce;
  if (!checkpoint.empty()) {
    job->checkpoint = checkpoint;
    job->checkpoint_step = step;
  }
  job->view.step = job->checkpoint_step;
  MakeReady(*job, /*at_head=*/true);
  return OwnerAnswer::kOk;
}

}  // namespace phasor::queue
