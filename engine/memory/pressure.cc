#include "engine/memory/pressure.h"

namespace phasor::engine {

std::string_view ToString(Pressure pressure) {
  switch (pressure) {
    case Pressure::kLow:
      return "LOW";
    case Pressure::kModerate:
      return "MODERATE";
    case Pressure::kHigh:
      return "HIGH";
    case Pressure::kCritical:
      return "CRITICAL";
  }
  return "unknown";
}

Pressure PressureOf(uint64_t taken, uint64_t total, const PressureLimits& limits) {
  if (total == 0) return Pressure::kLow;
  const double share = static_cast<double>(taken) / static_cast<double>(total);
  if (share >= limits.critical) return Pressure::kCritical;
  if (share >= limits.high) return Pressure::kHigh;
  return share >= limits.moderate ? Pressure::kModerate : Pressure::kLow;
}

}  // namespace phasor::engine
