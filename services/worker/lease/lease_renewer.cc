#include "services/worker/lease/lease_renewer.h"

#include <algorithm>
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
  held_.push_back({std::move(job), clock_.Steady()});
  changed_.Signal();
}

void LeaseRenewer::End(const RunningJob& job) {
  MutexLock lock(&mu_);
  std::erase_if(held_, [&](const Held& held) { return held.job.get() == &job; });
}

void LeaseRenewer::RenewSoon() {
  MutexLock lock(&mu_);
  for (Held& held : held_) held.due = clock_.Steady();
  changed_.Signal();
}

void LeaseRenewer::AskToStop(StopReason reason, const job::JobId& id) {
  MutexLock lock(&mu_);
  for (const Held& held : held_) {
    if (id.empty() || held.job->fence().id == id) held.job->AskToStop(reason);
  }
}

std::optional<Activity> LeaseRenewer::activity() const {
  MutexLock lock(&mu_);
  if (held_.empty()) return std::nullopt;
  return held_.front().job->activity();
}

std::vector<std::shared_ptr<RunningJob>> LeaseRenewer::TakeDue() {
  MutexLock lock(&mu_);
  std::vector<std::shared_ptr<RunningJob>> due;
  for (Held& held : held_) {
    if (clock_.Steady() < held.due) continue;
    held.due = clock_.Steady() + config_.every;
    due.push_back(held.job);
  }
  return due;
}

bool LeaseRenewer::AnyDue() const {
  return std::any_of(held_.begin(), held_.end(),
                     [&](const Held& held) { return clock_.Steady() >= held.due; });
}

void LeaseRenewer::Tick() {
  for (const std::shared_ptr<RunningJob>& job : TakeDue()) {
    queue::RenewRequest request = job->NextRenewal();
    request.lease = config_.lease;
    const SteadyTime sent = clock_.Steady();
    Digest(*job, consumer_.Renew(request), sent, request.checkpoint);
  }
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
    for (Held& held : held_) {
      if (held.job.get() == &job) held.due = clock_.Steady() + config_.retry;
    }
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
    if (!AnyDue() && !stop.stop_requested()) changed_.WaitFor(&mu_, kLongestNap);
  }
}

}  // namespace phasor::worker
