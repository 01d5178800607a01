#include "services/worker/lease/lease_renewer.h"

#include <utility>

#include "common/log/log.h"

namespace phasor::worker {
namespace {

// How long Run sleeps at most between two looks at the clock.
constexpr Millis kLongestNap{200};

}  // namespace

SteadyTime OwnDeadline(SteadyTime sent, Millis lease) { return sent + lease * 4 / 5; }

LeaseRenewer::LeaseRenewer(queue::Consumer& consumer, const Clock& clock, LeaseConfig config,
                           WorkerMetrics& metrics)
    : consumer_(consumer), clock_(clock), config_(config), metrics_(metrics) {}

void LeaseRenewer::Begin(std::shared_ptr<RunningJob> job) {
  MutexLock lock(&mu_);
  job_ = std::move(job);
  due_ = clock_.Steady();
  changed_.Signal();
}

void LeaseRenewer::End() {
  MutexLock lock(&mu_);
  job_.reset();
}

void LeaseRenewer::RenewSoon() {
  MutexLock lock(&mu_);
  due_ = clock_.Steady();
  changed_.Signal();
}

void LeaseRenewer::AskToStop(StopReason reason, const job::JobId& id) {
  MutexLock lock(&mu_);
  if (job_ != nullptr && (id.empty() || job_->fence().id == id)) job_->AskToStop(reason);
}

std::optional<Activity> LeaseRenewer::activity() const {
  MutexLock lock(&mu_);
  if (job_ == nullptr) return std::nullopt;
  return job_->activity();
}

std::shared_ptr<RunningJob> LeaseRenewer::JobIfDue() {
  MutexLock lock(&mu_);
  if (job_ == nullptr || clock_.Steady() < due_) return nullptr;
  due_ = clock_.Steady() + config_.every;
  return job_;
}

void LeaseRenewer::Tick() {
  const std::shared_ptr<RunningJob> job = JobIfDue();
  if (job == nullptr) return;
  queue::RenewRequest request = job->NextRenewal();
  request.lease = config_.lease;
  const SteadyTime sent = clock_.Steady();
  Digest(*job, consumer_.Renew(request), sent, request.checkpoint);
}

void LeaseRenewer::Confirm(RunningJob& job, const Patience& patience) {
  queue::RenewRequest request = job.NextRenewal();
  request.lease = config_.lease;
  SteadyTime sent;
  const auto answer = patience.Until(clock_.Steady() + config_.lease, [&] {
    sent = clock_.Steady();
    return consumer_.Renew(request);
  });
  Digest(job, answer, sent, request.checkpoint);
}

StopReason LeaseRenewer::Stop(RunningJob& job, const Patience& patience) {
  if (job.Stop(clock_.Steady()) == StopReason::kLeaseLost) {
    log::Info("job paused, the queue is asked whose it is",
              {{"job_id", job.fence().id}, {"why", ToString(StopReason::kLeaseLost)}});
    Confirm(job, patience);
  }
  return job.Stop(clock_.Steady());
}

void LeaseRenewer::Digest(RunningJob& job, const StatusOr<queue::OwnerAnswer>& answer,
                          SteadyTime sent, const std::string& checkpoint) {
  const std::string& id = job.fence().id;
  if (!answer.ok()) {
    log::Warn("lease not renewed", {{"job_id", id}, {"status", answer.status()}});
    MutexLock lock(&mu_);
    due_ = clock_.Steady() + config_.retry;
    return;
  }
  switch (*answer) {
    case queue::OwnerAnswer::kOk:
    case queue::OwnerAnswer::kRepeated:
      job.Extend(OwnDeadline(sent, config_.lease), checkpoint);
      break;
    case queue::OwnerAnswer::kPreempted:
      job.Extend(OwnDeadline(sent, config_.lease), checkpoint);
      job.AskToStop(StopReason::kPreempted);
      break;
    case queue::OwnerAnswer::kStalled:
      // Not stopped: a unit that ends before the lease does makes the next renewal count again.
      log::Warn("no progress, lease not extended", {{"job_id", id}});
      metrics_.Stalled();
      break;
    case queue::OwnerAnswer::kFenced:
      job.AskToStop(StopReason::kFenced);
      break;
    case queue::OwnerAnswer::kCanceled:
      job.AskToStop(StopReason::kCanceled);
      break;
  }
}

void LeaseRenewer::Run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(&mu_);
    changed_.Signal();
  });
  while (!stop.stop_requested()) {
    Tick();
    MutexLock lock(&mu_);
    const bool due = job_ != nullptr && clock_.Steady() >= due_;
    if (!due && !stop.stop_requested()) changed_.WaitFor(&mu_, kLongestNap);
  }
}

}  // namespace phasor::worker
