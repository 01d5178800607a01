// Measures a model on its device: whole runs of square pictures, each size with and without
// guidance, and how long weights take to come. One thread, the device's; takes as long as the
// pictures do.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/calibration/calibration.h"

namespace phasor::engine {

struct MeasureOptions {
  PictureSpec spec;        // what to draw, but for the size
  std::vector<int> sides;  // pixels, in increasing order
  // Hears of each unit that was measured, and in a sentence of sizes that were left out.
  std::function<void(const MeasuredUnit&)> on_unit = [](const MeasuredUnit&) {};
  std::function<void(const std::string&)> on_skip = [](const std::string&) {};
  // Asked between two units; true: CANCELLED.
  std::function<bool()> stop = [] { return false; };
};

// Sizes whose networks do not fit the device phase by phase are left out. RESOURCE_EXHAUSTED: all
// were.
StatusOr<Calibration> Measure(Model& model, const MeasureOptions& options);

// Squares from `low` to `high`, each twice as wide as the one before, and `high`.
std::vector<int> SidesBetween(int low, int high);

}  // namespace phasor::engine
