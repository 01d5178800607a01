#include "engine/runtime/unit_costs.h"

namespace phasor::engine {
namespace {

// Weight of the newest measurement: follows a change of load within a few units.
constexpr double kNewest = 0.25;

// How many images a unit works on.
int ImagesIn(const PictureSpec& spec, UnitKind kind) {
  return kind == UnitKind::kStep ? spec.images : 1;
}

}  // namespace

UnitCosts::Key UnitCosts::KeyOf(const PictureSpec& spec, UnitKind kind) {
  return {kind, spec.width, spec.height, spec.guidance_scale > 1};
}

void UnitCosts::Add(const PictureSpec& spec, UnitKind kind, double seconds) {
  const double measured = seconds / ImagesIn(spec, kind);
  const auto [mean, first] = seconds_per_image_.try_emplace(KeyOf(spec, kind), measured);
  if (!first) mean->second += kNewest * (measured - mean->second);
}

double UnitCosts::Predict(const PictureSpec& spec, UnitKind kind) const {
  const auto mean = seconds_per_image_.find(KeyOf(spec, kind));
  const double seconds =
      mean != seconds_per_image_.end()
          ? mean->second
          : UnitSeconds(*calibration_, {kind, spec.width, spec.height, spec.guidance_scale > 1});
  return seconds * ImagesIn(spec, kind);
}

}  // namespace phasor::engine
