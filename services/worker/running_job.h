// A job that a worker holds now, as the threads around it see it: the executor moves it, the
// lease renewer keeps it, the report stream and the drain may ask it to stop.
//
// Thread-safe. Shared by the executor and whoever was told of the job; it outlives its run.
// Times are steady: an own deadline past which nothing is published makes clocks of other
// machines irrelevant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/queue/types.h"
#include "services/worker/pulse.h"

namespace phasor::worker {

// Why a run ends before its end. Above kDrained the job is no longer this worker's: nothing may
// be published, checkpointed or released.
enum class StopReason {
  kNone,
  kPreempted,  // checkpoint and give the job back
  kDrained,    // the same, because the worker ends
  kLeaseLost,  // the own deadline has passed
  kFenced,     // somebody else owns the job, or it ended
  kCanceled,   // the job was cancelled
};

const char* ToString(StopReason reason);

// A store may be away for long, and a call of one that hangs may take as long as that; neither the
// queue nor the watchdog takes it for a hung unit. Bounded, so that a call that never comes back is
// noticed one day.
inline constexpr Millis kStoreStall{std::chrono::hours(6)};

// True while the job may still be finished or given back by this worker.
inline bool IsOwned(StopReason reason) { return reason <= StopReason::kDrained; }

class RunningJob {
 public:
  // `pulse`: of the executor, shared with the other jobs in hand.
  RunningJob(queue::Fence fence, SteadyTime own_deadline,
             std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>());

  const queue::Fence& fence() const { return fence_; }

  // Executor: where the run is. `stall` is how long the unit that begins now may take before it
  // counts as hung.
  void BeginUnit(queue::Phase phase, Millis stall);
  void EndUnit(int step);
  // Something that is no unit: a call to the store or the queue. That it came back, whatever it
  // says, is as good a sign of life as the end of a unit.
  void BeginCall(Millis stall);
  void EndCall();
  void SetCheckpoint(const std::string& name, int step);

  // The strongest reason so far; kLeaseLost once `now` is past the own deadline.
  StopReason Stop(SteadyTime now) const;
  // Asks to stop. A weaker reason never replaces a stronger one.
  void AskToStop(StopReason reason);

  // Renewer: what to tell the queue, and what came of it. Units are the executor's since it has
  // this job, whichever job they were of.
  queue::RenewRequest NextRenewal() const;
  void Extend(SteadyTime own_deadline, const std::string& checkpoint);

  // The executor's.
  Activity activity() const { return pulse_->activity(); }

  // The newest checkpoint that the queue has acknowledged; older ones may be deleted.
  std::string acknowledged_checkpoint() const;

 private:
  const queue::Fence fence_;
  const std::shared_ptr<Pulse> pulse_;
  const int64_t units_before_;  // of the executor

  mutable Mutex mu_;
  SteadyTime own_deadline_ GUARDED_BY(mu_);
  StopReason stop_ GUARDED_BY(mu_) = StopReason::kNone;
  queue::RenewRequest renewal_ GUARDED_BY(mu_);
  std::string acknowledged_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
