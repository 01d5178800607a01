#include "services/gateway/upkeep/sweep_clock.h"

#include <algorithm>
#include <string>

#include "common/storage/store_time.h"

namespace phasor::gateway {
namespace {

constexpr Millis kCompareEvery{60'000};

std::string Seconds(Millis difference) { return std::to_string(difference.count() / 1000) + " s"; }

}  // namespace

Millis AheadBy(const ClockReading& reading) {
  if (reading.theirs_ms < reading.before_ms) return Millis(reading.theirs_ms - reading.before_ms);
  if (reading.theirs_ms > reading.after_ms) return Millis(reading.theirs_ms - reading.after_ms);
  return Millis(0);
}

SweepClock::SweepClock(storage::ResultStore* store, queue::Maintenance* maintenance,
                       const Clock* clock, metrics::Registry* metrics)
    : store_(store),
      maintenance_(maintenance),
      clock_(clock),
      difference_(metrics->Gauges("clock_difference_seconds",
                                  "How far another clock is ahead of this gateway's.", {"clock"})),
      stopped_(*metrics->Gauges("store_sweep_stopped",
                                "1 while nothing is swept because clocks differ.")),
      agreed_(Unavailable("not compared yet")) {}

StatusOr<int64_t> SweepClock::Now() {
  const SteadyTime now = clock_->Steady();
  if (!compared_ || now - *compared_ >= kCompareEvery) {
    StatusOr<int64_t> agreed = Compare();
    // Who did not answer is asked again with the next call.
    const bool answered = agreed.ok() || agreed.status().code() == StatusCode::kFailedPrecondition;
    if (!answered) return agreed;
    stopped_.Set(agreed.ok() ? 0 : 1);
    agreed_ = std::move(agreed);
    compared_ = now;
  }
  RETURN_IF_ERROR(agreed_.status());
  // A clock that is set meanwhile moves nothing before the next comparison.
  return *agreed_ + std::chrono::duration_cast<Millis>(now - *compared_).count();
}

StatusOr<int64_t> SweepClock::Compare() {
  const int64_t own = clock_->WallMillis();
  int64_t behind = own;
  std::string differences;
  const auto compare = [&](const char* whose, int64_t before, int64_t theirs) {
    const Millis ahead = AheadBy({before, theirs, clock_->WallMillis()});
    difference_.With({whose}).Set(static_cast<double>(ahead.count()) / 1000);
    behind = std::min(behind, theirs);
    if (ahead <= kMostClockDifference && -ahead <= kMostClockDifference) return;
    differences += std::string(differences.empty() ? "" : ", ") + "the " + whose + "'s is " +
                   Seconds(ahead < Millis(0) ? -ahead : ahead) +
                   (ahead < Millis(0) ? " behind" : " ahead");
  };
  const StatusOr<int64_t> store = storage::StoreTime(*store_);
  // A full store must be swept all the more.
  if (store.ok()) {
    compare("store", own, *store);
  } else if (store.status().code() != StatusCode::kResourceExhausted) {
    return store.status();
  }
  if (maintenance_ != nullptr) {
    const int64_t before = clock_->WallMillis();
    ASSIGN_OR_RETURN(const queue::QueueStats stats, maintenance_->Stats());
    if (stats.now_ms != 0) compare("queue", before, stats.now_ms);
  }
  if (differences.empty()) return behind;
  return FailedPrecondition("nothing is swept while clocks differ: beside this gateway's " +
                            differences);
}

}  // namespace phasor::gateway
