// Time as an injected dependency: nothing but SystemClock asks the machine what time it is.
//
// Wall time (ms since the epoch) is for records and logs; steady time for deadlines and
// durations. Both clocks are thread-safe.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/mutex.h"

namespace phasor {

using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t WallMillis() const = 0;
  virtual SteadyTime Steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t WallMillis() const override;
  SteadyTime Steady() const override;
};

// Moves only when told. Wall and steady time move together.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t wall_millis = 1'700'000'000'000);
  int64_t WallMillis() const override;
  SteadyTime Steady() const override;
  void Advance(Millis by);

 private:
  mutable Mutex mu_;
  int64_t wall_millis_ GUARDED_BY(mu_);
  SteadyTime steady_ GUARDED_BY(mu_);
};

// Seconds between two steady times.
inline double SecondsBetween(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace phasor
