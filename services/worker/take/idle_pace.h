// How long an idle worker waits for a hint that work arrived before it asks all the same: the
// longer the longer nothing has come, for thousands of idle workers are most of what a large fleet
// asks of Redis. Never longer than the queue's hints may fail it (queue::Consumer::WaitForWork);
// that is also how soon a drain or an order is seen. Waits differ by a quarter: workers that a hint
// or a moment without Redis has brought into step would otherwise ask all at once, again and again.
//
// Pure. One thread, the executor.
#pragma once

#include <algorithm>

#include "common/base/clock.h"

namespace phasor::worker {

class IdlePace {
 public:
  static constexpr Millis kFirst{500};
  static constexpr Millis kLongest{1'000};

  // There was something to do.
  void Worked() { most_ = kFirst; }

  // Nothing was. `draw` is uniform in [0, 1).
  Millis Wait(double draw) {
    const double wait = static_cast<double>(most_.count()) * (0.75 + 0.25 * draw);
    most_ = std::min(most_ * 5 / 4, kLongest);
    return Millis(static_cast<int64_t>(wait));
  }

 private:
  Millis most_ = kFirst;
};

}  // namespace phasor::worker
