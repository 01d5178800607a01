// The Consumer half of MemoryQueue.

#include <algorithm>

#include "common/queue/memory/memory_queue.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {

StatusOr<std::optional<Grant>> MemoryQueue::Take(const TakeRequest& request) {
  RETURN_IF_ERROR(CheckTake(request));
  MutexLock lock(&mu_);
  if (const auto held = by_nonce_.find(request.nonce); held != by_nonce_.end()) {
    return GrantOf(jobs_.at(held->second));
  }
  Sweep(kPromotionsPerTake, kRecoveriesPerTake, kExpiriesPerTake);
  while (!paused_) {
    const std::optional<Choice> choice = Choose(request.models);
    if (!choice) break;
    // All its tenants may be parked by now; then the choice is another.
    if (const std::optional<std::string> tenant = PickTenant(*choice)) {
      if (auto grant = TakeChosen(request, *choice, *tenant)) return grant;
    }
  }
  bells_ = 0;
  return std::optional<Grant>();
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
  return head ? clock_.WallMillis() - jobs_.at(*head).enqueued_ms : 0;
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

int64_t MemoryQueue::RoomOf(const std::string& tenant) const {
  const auto running = running_by_tenant_.find(tenant);
  return *LimitsOf(tenant).max_running -
         (running == running_by_tenant_.end() ? 0 : running->second);
}

std::optional<std::string> MemoryQueue::PickTenant(const Choice& choice) {
  TenantRing& ring = ready_[{choice.model, choice.cls}];
  std::optional<std::string> tenant = ring.NextTenant();
  for (; tenant && RoomOf(*tenant) <= 0; tenant = ring.NextTenant()) ring.Park(*tenant);
  return tenant;
}

std::optional<Grant> MemoryQueue::TakeChosen(const TakeRequest& request, const Choice& choice,
                                             const std::string& tenant) {
  TenantRing& ring = ready_[{choice.model, choice.cls}];
  Job& job = jobs_.at(ring.List(tenant)->front());
  std::optional<job::Transition> transition =
      Next(job, job::Taken{.node = request.node, .lease = request.lease});
  if (transition->next.state != State::kLeased) {  // too late
    Move(job, *std::move(transition));
    return std::nullopt;
  }
  ring.Charge(tenant, job.request.cost * kShareScale / *LimitsOf(tenant).weight);
  stride_.Charge(choice.cls, choice.aged);
  passed_over_.erase({choice.model, choice.cls});
  for (const std::string& model : choice.passed_over) ++passed_over_[{model, choice.cls}];

  job.worker = request.worker;
  job.nonce = request.nonce;
  job.lease = request.lease;
  job.started_ms = clock_.WallMillis();
  job.models = {request.models.begin(), request.models.end()};
  Move(job, *std::move(transition));
  return GrantOf(job);
}

Grant MemoryQueue::GrantOf(const Job& job) const {
  return Grant{.fence = {job.request.id, job.life.epoch, job.nonce},
               .state = job.life.state,
               .priority = job.request.priority,
               .model = job.request.model,
               .tenant = job.request.tenant,
               .crashes = job.life.crashes,
               .tries = job.life.tries,
               .step = job.checkpoint_step,
               .checkpoint = job.checkpoint,
               .solo = job.life.solo,
               .enqueued_ms = job.enqueued_ms,
               .deadline_ms = job.life.deadline_ms,
               .lease = job.lease,
               .spec = job.request.spec};
}

void MemoryQueue::WaitForWork(Millis timeout) {
  MutexLock lock(&mu_);
  const auto rung = [](int64_t* bells) { return *bells > 0; };
  if (mu_.AwaitWithTimeout(absl::Condition(+rung, &bells_), absl::FromChrono(timeout))) --bells_;
}

bool MemoryQueue::IsOwner(const Job& job, const Fence& fence) const {
  return job.life.epoch == fence.epoch && job.nonce == fence.nonce;
}

OwnerAnswer MemoryQueue::AnswerToStranger(const Job* job, const Fence& fence) const {
  const bool canceled =
      job != nullptr && job->life.state == State::kCanceled && IsOwner(*job, fence);
  return canceled ? OwnerAnswer::kCanceled : OwnerAnswer::kFenced;
}

StatusOr<OwnerAnswer> MemoryQueue::Renew(const RenewRequest& request) {
  RETURN_IF_ERROR(CheckRenew(request));
  MutexLock lock(&mu_);
  Job* job = Find(request.fence.id);
  if (job == nullptr || job->life.state != State::kLeased || !IsOwner(*job, request.fence)) {
    return AnswerToStranger(job, request.fence);
  }
  job->phase = request.phase;
  job->step = request.step;
  if (!request.checkpoint.empty()) {
    job->checkpoint = request.checkpoint;
    job->checkpoint_step = request.checkpoint_step;
  }
  if (!Apply(*job, job::Renewed{request.units, request.lease, request.stall})) {
    return OwnerAnswer::kStalled;
  }
  return job->life.preempted ? OwnerAnswer::kPreempted : OwnerAnswer::kOk;
}

StatusOr<OwnerAnswer> MemoryQueue::Complete(const Fence& fence, const std::string& result) {
  RETURN_IF_ERROR(CheckFence(fence));
  MutexLock lock(&mu_);
  Job* job = Find(fence.id);
  if (job == nullptr || !IsOwner(*job, fence)) return OwnerAnswer::kFenced;
  if (job->life.state == State::kDone) return OwnerAnswer::kRepeated;
  if (!Apply(*job, job::Completed{})) return AnswerToStranger(job, fence);
  job->result = result;
  job->reason.clear();
  job->code.clear();
  return OwnerAnswer::kOk;
}

StatusOr<FailOutcome> MemoryQueue::Fail(const Failure& failure) {
  RETURN_IF_ERROR(CheckFailure(failure));
  MutexLock lock(&mu_);
  Job* job = Find(failure.fence.id);
  if (job == nullptr) return FailOutcome::kFenced;
  if (job->back_nonce == failure.fence.nonce) return FailOutcome::kRepeated;
  const job::Failed failed{.retry = failure.retryable,
                           .delay = failure.delay,
                           .worker_lost = failure.worker_lost,
                           .reason = failure.reason,
                           .code = failure.code,
                           .fault = failure.fault};
  if (!IsOwner(*job, failure.fence) || !Apply(*job, failed)) return FailOutcome::kFenced;
  job->back_nonce = job->nonce;
  return job->life.state == State::kSealing ? FailOutcome::kSealed : FailOutcome::kRequeued;
}

StatusOr<OwnerAnswer> MemoryQueue::Release(const Fence& fence, const std::string& checkpoint,
                                           int step) {
  RETURN_IF_ERROR(CheckFence(fence));
  MutexLock lock(&mu_);
  Job* job = Find(fence.id);
  if (job == nullptr) return OwnerAnswer::kFenced;
  if (job->back_nonce == fence.nonce) return OwnerAnswer::kRepeated;
  if (job->life.state != State::kLeased || !IsOwner(*job, fence)) {
    return AnswerToStranger(job, fence);
  }
  if (!checkpoint.empty()) {
    job->checkpoint = checkpoint;
    job->checkpoint_step = step;
  }
  Apply(*job, job::Released{});
  job->back_nonce = job->nonce;
  return OwnerAnswer::kOk;
}

}  // namespace phasor::queue
