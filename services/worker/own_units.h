// What the executor does that is no job's and could hang all the same: its test of itself, a model
// that it was asked to load. For the watchdog, as a job's units are (pulse.h).
// Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/worker/pulse.h"

namespace phasor::worker {

class OwnUnits {
 public:
  // Executor: `what` goes on to its next unit, which may take `stall` before it counts as hung.
  void Begin(const std::string& what, Millis stall) {
    MutexLock lock(&mu_);
    now_ = Activity{.of = what, .epoch = 0, .count = ++moves_, .stall = stall};
  }
  // Executor: nothing of the kind goes on any more.
  void End() {
    MutexLock lock(&mu_);
    now_.reset();
  }

  std::optional<Activity> activity() const {
    MutexLock lock(&mu_);
    return now_;
  }

 private:
  mutable Mutex mu_;
  std::optional<Activity> now_ GUARDED_BY(mu_);
  uint64_t moves_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::worker
