#include "engine/memory/strategy.h"

#include <algorithm>
#include <iterator>

namespace phasor::engine {
std::string_view ToString(Strategy strategy) {
  switch (strategy) {
    case Strategy::kFull:
      return "FP16_FULL";
    case Strategy::kCpuOffload:
      return "CPU_OFFLOAD";
    case Strategy::kSequentialOffload:
      return "SEQUENTIAL_OFFLOAD";
  }
  return "unknown";
}

std::optional<Strategy> LeanerThan(Strategy strategy) {
  const auto* const at = std::find(std::begin(kStrategies), std::end(kStrategies), strategy);
  if (at == std::end(kStrategies) || at + 1 == std::end(kStrategies)) return std::nullopt;
  return at[1];
}

StatusOr<std::optional<Strategy>> ParseStrategy(const std::string& name) {
  std::string known = "AUTO";
  if (name == known) return std::optional<Strategy>();
  for (const Strategy strategy : kStrategies) {
    if (name == ToString(strategy)) return std::optional<Strategy>(strategy);
    known.append(", ").append(ToString(strategy));
  }
  return InvalidArgument("must be one of " + known + ", got " + name);
}

}  // namespace phasor::engine
