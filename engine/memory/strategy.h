// How a model's weights share the device's memory over the phases of a run: where they are (a
// strategy, in order of cost), and as what they are stored (a form). Strategies change no byte of a
// picture; a form does, so only who asked for one gets it. The names are those of the API. Pure
// functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/status.h"
#include "engine/api/memory_use.h"

namespace phasor::engine {

enum class Strategy {
  kFull,               // FP16_FULL: everything that any phase needs stays on the device
  kCpuOffload,         // CPU_OFFLOAD: a phase holds the parts that it needs
  kBlockStream,        // BLOCK_STREAM: the same layer by layer, the next ones under way; what there
                       // is room for stays
  kSequentialOffload,  // SEQUENTIAL_OFFLOAD: a layer's weights come when it computes, and go after
};

std::string_view ToString(Strategy strategy);

inline constexpr Strategy kStrategies[] = {Strategy::kFull, Strategy::kCpuOffload,
                                           Strategy::kBlockStream, Strategy::kSequentialOffload};

// The next one that holds less, if there is one.
std::optional<Strategy> LeanerThan(Strategy strategy);

// What somebody asked for.
struct StrategyChoice {
  std::optional<Strategy> strategy;  // nullopt: the cheapest that fits
  WeightForm form = WeightForm::kPlain;
  bool operator==(const StrategyChoice&) const = default;
};

// "CPU_OFFLOAD", "FP8_OPTIMIZED" (everything on the device), "NF4_QUANTIZED+CPU_OFFLOAD".
std::string NameOf(Strategy strategy, WeightForm form);

// The part of such a name that the API has a word for: what is before the '+'.
std::string_view ApiName(std::string_view name);

// As NameOf gives them, and "AUTO"; a form alone leaves the strategy open. INVALID_ARGUMENT with a
// phrase that lists the names.
StatusOr<StrategyChoice> ParseStrategy(const std::string& name);

}  // namespace phasor::engine
