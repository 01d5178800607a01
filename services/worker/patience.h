// Repeats a call whose outcome is unknown (UNAVAILABLE) with the same arguments until it is known
// or a steady moment has passed. Waiting is injected, so that tests take no time.
#pragma once

#include <algorithm>
#include <functional>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace phasor::worker {

// Full jitter between `shortest` and min(longest, shortest x 2^failures); `draw` is in [0, 1).
inline Millis Backoff(int failures, Millis shortest, Millis longest, double draw) {
  const double most = std::min(static_cast<double>(longest.count()),
                               static_cast<double>(shortest.count()) *
                                   static_cast<double>(int64_t{1} << std::clamp(failures, 0, 30)));
  return Millis(static_cast<int64_t>(static_cast<double>(shortest.count()) +
                                     draw * (most - static_cast<double>(shortest.count()))));
}

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
Status StatusOf(const StatusOr<T>& value) {
  return value.status();
}

struct Patience {
  const Clock& clock;
  std::function<void(Millis)> sleep;  // the calling thread waits
  std::function<double()> draw;       // uniform in [0, 1)

  template <typename Call>
  auto Until(SteadyTime end, const Call& call) const {
    return Until(end, call, [] { return true; });
  }

  // `goes_on`: asked before each repetition, whether it is still wanted.
  template <typename Call, typename GoesOn>
  auto Until(SteadyTime end, const Call& call, const GoesOn& goes_on) const {
    for (int failures = 0;; ++failures) {
      auto answer = call();
      const bool unknown = StatusOf(answer).code() == StatusCode::kUnavailable;
      if (!unknown || clock.Steady() >= end || !goes_on()) return answer;
      sleep(Backoff(failures, Millis(50), Millis(2'000), draw()));
    }
  }
};

}  // namespace phasor::worker
