#include "engine/memory/strategy.h"

namespace phasor::engine {
namespace {

constexpr Strategy kStrategies[] = {Strategy::kFull, Strategy::kCpuOffload,
                                    Strategy::kSequentialOffload};

}  // namespace

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

StatusOr<Strategy> ParseStrategy(const std::string& name) {
  std::string known;
  for (const Strategy strategy : kStrategies) {
    if (name == ToString(strategy)) return strategy;
    known.append(known.empty() ? "" : ", ").append(ToString(strategy));
  }
  return InvalidArgument("must be one of " + known + ", got " + name);
}

}  // namespace phasor::engine
