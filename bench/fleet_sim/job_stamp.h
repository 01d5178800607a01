// When a job was submitted, in the first bytes of its spec: the process that takes it is the one
// that submitted it, so one steady clock serves both. Stateless.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "common/base/clock.h"

namespace phasor::bench {

inline std::string StampedSpec(SteadyTime now, size_t bytes) {
  const int64_t ticks = now.time_since_epoch().count();
  std::string spec(std::max(bytes, sizeof(ticks)), 'x');
  std::memcpy(spec.data(), &ticks, sizeof(ticks));
  return spec;
}

inline SteadyTime ReadStamp(const std::string& spec) {
  int64_t ticks = 0;
  if (spec.size() >= sizeof(ticks)) std::memcpy(&ticks, spec.data(), sizeof(ticks));
  return SteadyTime(SteadyTime::duration(ticks));
}

}  // namespace phasor::bench
