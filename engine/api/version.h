// The version of the engine's arithmetic: raised whenever a change may alter a bit of a picture or
// of a checkpoint's meaning. Part of every fingerprint.
#pragma once

#include <string_view>

namespace phasor::engine {

inline constexpr std::string_view kEngineVersion = "3";

}  // namespace phasor::engine
