// What time it is where ages are measured. A gateway's own clock may be wrong by days, and so may
// the store's or the queue's: time passes for the sweep only while all that can be asked agree, and
// then by the one that is behind. One thread; blocks on store and queue now and then.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"

namespace phasor::gateway {

// Clocks that differ by more are wrong, for nobody knows which of them is right.
inline constexpr Millis kMostClockDifference{120'000};

// Another clock's time, between two looks at the own one.
struct ClockReading {
  int64_t before_ms = 0;
  int64_t theirs_ms = 0;
  int64_t after_ms = 0;
};
// How far it is ahead, at least; negative: behind. Pure.
Millis AheadBy(const ClockReading& reading);

class SweepClock {
 public:
  // All outlive this. `maintenance` may be null: the queue is not asked.
  SweepClock(storage::ResultStore* store, queue::Maintenance* maintenance, const Clock* clock,
             metrics::Registry* metrics);

  // ms since the epoch. FAILED_PRECONDITION while the clocks differ.
  StatusOr<int64_t> Now();

 private:
  StatusOr<int64_t> Compare();

  storage::ResultStore* const store_;
  queue::Maintenance* const maintenance_;
  const Clock* const clock_;
  metrics::Family<metrics::Gauge> difference_;
  metrics::Gauge& stopped_;
  std::optional<SteadyTime> compared_;
  StatusOr<int64_t> agreed_;  // at that time
};

}  // namespace phasor::gateway
