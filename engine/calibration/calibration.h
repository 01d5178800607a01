// What a machine was measured to take for a model's phases: it corrects the plan's predictions and
// tells how long units take. `phasor-render --profile` measures it (measure.h), the cache directory
// keeps it (calibration_file.h). Plain values; pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "common/picture/picture_spec.h"
#include "engine/api/unit_kind.h"
#include "engine/memory/residency_plan.h"

namespace phasor::engine {

// What an effort depends on, besides the model. Pixels.
struct UnitShape {
  UnitKind phase = UnitKind::kDone;
  int width = 0;
  int height = 0;
  bool guidance = false;  // as a batch of two; only steps know of it

  int64_t area() const { return int64_t{width} * height; }
  bool operator==(const UnitShape&) const = default;
};

// A unit of one picture, with its weights in place.
struct MeasuredUnit {
  UnitShape shape;
  uint64_t expected_bytes = 0;  // beside weights, as computed from the networks
  uint64_t counted_bytes = 0;   // beside weights
  double seconds = 0;
};

struct Calibration {
  std::vector<MeasuredUnit> units;
  double fetch_seconds_per_byte = 0;  // of weights that come to the device; 0: not noticeable

  bool empty() const { return units.empty(); }
};

// How far what was counted may be from what is computed; beyond, something else was measured. Of
// the smallest pictures, whose kernels need the least scratch memory, half is usual.
inline constexpr double kLeastMemoryFactor = 0.2;
inline constexpr double kMostMemoryFactor = 4;

// By what to multiply the computed bytes of a unit. In proportion between two measured areas, as at
// the nearest one beyond them. 1: nothing like it was measured.
double MemoryFactor(const Calibration& calibration, const UnitShape& shape);

// That a unit takes for one picture: by the power of the area that joins the two nearest measured
// ones. 0: nothing like it was measured.
double UnitSeconds(const Calibration& calibration, const UnitShape& shape);

// That a run by `plan` takes, where `whole` is the plan that keeps everything on the device. 0: not
// known, which is so for quantised weights, too.
double RunSeconds(const Calibration& calibration, const ResidencyPlan& whole,
                  const ResidencyPlan& plan, const PictureSpec& spec);

}  // namespace phasor::engine
