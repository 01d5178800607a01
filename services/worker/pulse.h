// The executor's signs of life, which all jobs in hand share: while it works at one of them the
// others wait, and are no less alive. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace phasor::worker {

// What the executor does now, for those who watch it from outside.
struct Activity {
  std::string of;  // "job <id>", or what else it does (own_units.h)
  int64_t epoch = 0;
  uint64_t count = 0;  // of what was begun or ended so far: grows whenever the executor moves
  Millis stall{0};     // how long what runs now may take

  bool operator==(const Activity&) const = default;
};

class Pulse {
 public:
  // Executor: it goes on with something of this job, which may take `stall` before it counts as
  // hung.
  void Begin(const std::string& job, int64_t epoch, Millis stall) {
    MutexLock lock(&mu_);
    now_.of = "job " + job;
    now_.epoch = epoch;
    now_.stall = stall;
    ++now_.count;
  }
  // Executor: that has ended.
  void End() {
    MutexLock lock(&mu_);
    ++units_;
    ++now_.count;
  }

  Activity activity() const {
    MutexLock lock(&mu_);
    return now_;
  }
  // What has ended so far.
  int64_t units() const {
    MutexLock lock(&mu_);
    return units_;
  }

 private:
  mutable Mutex mu_;
  Activity now_ GUARDED_BY(mu_);
  int64_t units_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::worker
