#include "services/worker/running_job.h"

#include <algorithm>
#include <utility>

namespace phasor::worker {

const char* ToString(StopReason reason) {
  switch (reason) {
    case StopReason::kNone:
      return "none";
    case StopReason::kPreempted:
      return "preempted";
    case StopReason::kDrained:
      return "drained";
    case StopReason::kLeaseLost:
      return "lease lost";
    case StopReason::kFenced:
      return "fenced";
    case StopReason::kCanceled:
      return "canceled";
  }
  return "unknown";
}

RunningJob::RunningJob(queue::Fence fence, SteadyTime own_deadline, std::shared_ptr<Pulse> pulse)
    : fence_(std::move(fence)),
      pulse_(std::move(pulse)),
      units_before_(pulse_->units()),
      own_deadline_(own_deadline) {
  renewal_.fence = fence_;
  renewal_.phase = queue::Phase::kInitializing;
  pulse_->Begin(fence_.id, fence_.epoch, Millis(0));
}

void RunningJob::BeginUnit(queue::Phase phase, Millis stall) {
  {
    MutexLock lock(&mu_);
    renewal_.phase = phase;
  }
  pulse_->Begin(fence_.id, fence_.epoch, stall);
}

void RunningJob::BeginCall(Millis stall) { pulse_->Begin(fence_.id, fence_.epoch, stall); }

void RunningJob::EndCall() { pulse_->End(); }

void RunningJob::EndUnit(int step) {
  {
    MutexLock lock(&mu_);
    renewal_.step = step;
  }
  pulse_->End();
}

void RunningJob::SetCheckpoint(const std::string& name, int step) {
  MutexLock lock(&mu_);
  renewal_.checkpoint = name;
  renewal_.checkpoint_step = step;
}

StopReason RunningJob::Stop(SteadyTime now) const {
  MutexLock lock(&mu_);
  if (IsOwned(stop_) && now >= own_deadline_) return StopReason::kLeaseLost;
  return stop_;
}

void RunningJob::AskToStop(StopReason reason) {
  MutexLock lock(&mu_);
  stop_ = std::max(stop_, reason);
}

queue::RenewRequest RunningJob::NextRenewal() const {
  MutexLock lock(&mu_);
  queue::RenewRequest renewal = renewal_;
  renewal.units = pulse_->units() - units_before_;
  renewal.stall = pulse_->activity().stall;
  return renewal;
}

void RunningJob::Extend(SteadyTime own_deadline, const std::string& checkpoint) {
  MutexLock lock(&mu_);
  own_deadline_ = std::max(own_deadline_, own_deadline);
  if (!checkpoint.empty()) acknowledged_ = checkpoint;
}

std::string RunningJob::acknowledged_checkpoint() const {
  MutexLock lock(&mu_);
  return acknowledged_;
}

}  // namespace phasor::worker
