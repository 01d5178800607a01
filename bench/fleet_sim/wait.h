// Sleeping that a stop ends. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "common/base/clock.h"

namespace phasor::bench {

// False: the stop came first.
inline bool SleepUntil(const std::stop_token& stop, SteadyTime until) {
  std::mutex mu;
  std::condition_variable_any never;
  std::unique_lock<std::mutex> lock(mu);
  never.wait_until(lock, stop, until, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace phasor::bench
