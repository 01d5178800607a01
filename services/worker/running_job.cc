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

RunningJob::RunningJob(queue::Fence fence, SteadyTime own_deadline)
    : fence_(std::move(fence)), own_deadline_(own_deadline) {
  renewal_.fence = fence_;
  renewal_.phase = queue::Phase::kInitializing;
}

void RunningJob::BeginUnit(queue::Phase phase, Millis stall) {
  MutexLock lock(&mu_);
  renewal_.phase = phase;
  renewal_.stall = stall;
  ++moves_;
}

void RunningJob::BeginCall(Millis stall) {
  MutexLock lock(&mu_);
  renewal_.stall = stall;
  ++moves_;
}

void RunningJob::EndCall() {
  MutexLock lock(&mu_);
  ++renewal_.units;
  ++moves_;
}

void RunningJob::EndUnit(int step) {
  MutexLock lock(&mu_);
  ++renewal_.units;
  renewal_.step = step;
  ++moves_;
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
  return renewal_;
}

void RunningJob::Extend(SteadyTime own_deadline, const std::string& checkpoint) {
  MutexLock lock(&mu_);
  own_deadline_ = std::max(own_deadline_, own_deadline);
  if (!checkpoint.empty()) acknowledged_ = checkpoint;
}

Activity RunningJob::activity() const {
  MutexLock lock(&mu_);
  return {
      .of = "job " + fence_.id, .epoch = fence_.epoch, .count = moves_, .stall = renewal_.stall};
}

std::string RunningJob::acknowledged_checkpoint() const {
  MutexLock lock(&mu_);
  return acknowledged_;
}

}  // namespace phasor::worker
