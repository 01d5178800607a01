// A run's memory over time as a picture: a bar for each unit, as wide as it took and as high as its
// peak, by kind; what had been predicted; and the device's size. A pure function.
#pragma once

#include <string>

#include "engine/api/engine.h"

namespace phasor::render {

// An SVG file. Units without a measured peak (a device that does not count) have no bar.
std::string MemoryPlot(const engine::RunReport& run);

}  // namespace phasor::render
