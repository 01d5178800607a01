// A run's spec as JSON, every field under its own name: for reports and fingerprints. Doubles are
// dumped so that they read back exactly. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include "engine/api/engine.h"

namespace phasor::engine {

nlohmann::ordered_json ToJson(const RunSpec& spec);

}  // namespace phasor::engine
