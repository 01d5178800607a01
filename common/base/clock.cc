#include "common/base/clock.h"

namespace phasor {

int64_t SystemClock::WallMillis() const {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

SteadyTime SystemClock::Steady() const { return std::chrono::steady_clock::now(); }

FakeClock::FakeClock(int64_t wall_millis)
    : wall_millis_(wall_millis), steady_(std::chrono::hours(1)) {}

int64_t FakeClock::WallMillis() const {
  MutexLock lock(&mu_);
  return wall_millis_;
}

SteadyTime FakeClock::Steady() const {
  MutexLock lock(&mu_);
  return steady_;
}

void FakeClock::Advance(Millis by) {
  MutexLock lock(&mu_);
  wall_millis_ += by.count();
  steady_ += by;
}

}  // namespace phasor
