// How a model's weights share the device's memory over the phases of a run, in order of cost. The
// names are those of the API. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor::engine {

enum class Strategy {
  kFull,               // FP16_FULL: everything that any phase needs stays on the device
  kCpuOffload,         // CPU_OFFLOAD: a phase holds the parts that it needs
  kSequentialOffload,  // SEQUENTIAL_OFFLOAD: a layer's weights come when it computes, and go after
};

std::string_view ToString(Strategy strategy);

inline constexpr Strategy kStrategies[] = {Strategy::kFull, Strategy::kCpuOffload,
                                           Strategy::kSequentialOffload};

// The next one that holds less, if there is one.
std::optional<Strategy> LeanerThan(Strategy strategy);

// AUTO is nullopt. INVALID_ARGUMENT with a phrase that lists the names.
StatusOr<std::optional<Strategy>> ParseStrategy(const std::string& name);

}  // namespace phasor::engine
