// How tight a device's memory is: a pure function of what is used of it between two units of work.
// What a worker does about each state it decides itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace phasor::engine {

enum class Pressure {
  kLow,
  kModerate,
  kHigh,     // idle models leave
  kCritical  // caches go, and the next unit is done by a leaner plan
};

inline constexpr Pressure kPressures[] = {Pressure::kLow, Pressure::kModerate, Pressure::kHigh,
                                          Pressure::kCritical};

std::string_view ToString(Pressure pressure);  // "LOW"

// Shares of the device from which on each state holds, ascending.
struct PressureLimits {
  double moderate = 0.60;
  double high = 0.80;
  double critical = 0.95;
};

// `taken` is what nobody can count on: what is used, and what is free only in pieces. `total` of 0
// is a device without a bound, which is never tight.
Pressure PressureOf(uint64_t taken, uint64_t total, const PressureLimits& limits = {});

}  // namespace phasor::engine
