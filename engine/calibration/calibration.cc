#include "engine/calibration/calibration.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace phasor::engine {
namespace {

// How much of the work grows with the picture where one size alone was measured.
double PowerOf(UnitKind phase) { return phase == UnitKind::kEncode ? 0 : 1; }

// The measured units of a phase by area; with the same guidance, or with any if there are none.
std::vector<MeasuredUnit> Alike(const Calibration& calibration, const UnitShape& shape) {
  std::vector<MeasuredUnit> alike;
  for (const bool any : {false, true}) {
    for (const MeasuredUnit& unit : calibration.units) {
      const bool same =
          any || shape.phase != UnitKind::kStep || unit.shape.guidance == shape.guidance;
      if (unit.shape.phase == shape.phase && same) alike.push_back(unit);
    }
    if (!alike.empty()) break;
  }
  std::stable_sort(alike.begin(), alike.end(), [](const MeasuredUnit& a, const MeasuredUnit& b) {
    return a.shape.area() < b.shape.area();
  });
  return alike;
}

double FactorOf(const MeasuredUnit& unit) {
  if (unit.expected_bytes == 0) return 1;
  return static_cast<double>(unit.counted_bytes) / static_cast<double>(unit.expected_bytes);
}

// Two neighbours in area, the same one twice where there is no other.
struct Neighbours {
  MeasuredUnit below, above;
  bool one() const { return below.shape.area() == above.shape.area(); }
  double Power(double otherwise) const {
    if (one() || below.seconds <= 0 || above.seconds <= 0) return otherwise;
    const auto ratio =
        static_cast<double>(above.shape.area()) / static_cast<double>(below.shape.area());
    return std::log(above.seconds / below.seconds) / std::log(ratio);
  }
};

// `beyond`: outside of what was measured the two nearest, else the nearest alone.
Neighbours Around(const std::vector<MeasuredUnit>& sorted, int64_t area, bool beyond) {
  size_t above = 0;
  while (above < sorted.size() && sorted[above].shape.area() < area) ++above;
  const size_t last = sorted.size() - 1;
  if (above > 0 && above <= last) return {sorted[above - 1], sorted[above]};
  const size_t nearest = above == 0 ? 0 : last;
  if (!beyond || last == 0) return {sorted[nearest], sorted[nearest]};
  return above == 0 ? Neighbours{sorted[0], sorted[1]} : Neighbours{sorted[last - 1], sorted[last]};
}

// How many passes of the networks a phase of a run is.
double PassesOf(UnitKind phase, const PictureSpec& spec) {
  switch (phase) {
    case UnitKind::kEncode:
      return 1;
    case UnitKind::kStep:
      return static_cast<double>(spec.steps) * spec.images;
    case UnitKind::kDecode:
      return spec.images;
    case UnitKind::kDone:
      break;
  }
  return 0;
}

// Of the weights that a phase brings over and has to wait for.
double FetchSeconds(const Calibration& calibration, const PlannedPhase& whole,
                    const PlannedPhase& planned, bool stays, double passes, double pass_seconds) {
  double seconds = 0;
  for (size_t i = 0; i < planned.parts.size() && i < whole.parts.size(); ++i) {
    const PlannedPart& part = planned.parts[i];
    const double one =
        static_cast<double>(whole.parts[i].bytes) * calibration.fetch_seconds_per_byte;
    if (part.placement == Placement::kResident && !stays) seconds += one;
    if (part.placement == Placement::kStreamed) seconds += one * passes;
    if (part.placement != Placement::kAhead) continue;
    const double kept = static_cast<double>(part.bytes) * calibration.fetch_seconds_per_byte;
    seconds += kept + std::max(0.0, one - kept - pass_seconds) * passes;
  }
  return seconds;
}

}  // namespace

double MemoryFactor(const Calibration& calibration, const UnitShape& shape) {
  const std::vector<MeasuredUnit> sorted = Alike(calibration, shape);
  if (sorted.empty()) return 1;
  const Neighbours near = Around(sorted, shape.area(), /*beyond=*/false);
  if (near.one()) return FactorOf(near.below);
  const auto low = static_cast<double>(near.below.shape.area());
  const double share = (static_cast<double>(shape.area()) - low) /
                       (static_cast<double>(near.above.shape.area()) - low);
  return FactorOf(near.below) + share * (FactorOf(near.above) - FactorOf(near.below));
}

double UnitSeconds(const Calibration& calibration, const UnitShape& shape) {
  const std::vector<MeasuredUnit> sorted = Alike(calibration, shape);
  if (sorted.empty()) return 0;
  const Neighbours near = Around(sorted, shape.area(), /*beyond=*/true);
  const auto ratio =
      static_cast<double>(shape.area()) / static_cast<double>(near.below.shape.area());
  return near.below.seconds * std::pow(ratio, near.Power(PowerOf(shape.phase)));
}

double RunSeconds(const Calibration& calibration, const ResidencyPlan& whole,
                  const ResidencyPlan& plan, const PictureSpec& spec) {
  if (plan.form != WeightForm::kPlain) return 0;
  double seconds = 0;
  for (const PlannedPhase& phase : plan.phases) {
    const UnitShape shape{phase.phase, spec.width, spec.height, spec.guidance_scale > 1};
    const double pass = UnitSeconds(calibration, shape);
    const PlannedPhase* const all = whole.Of(phase.phase);
    if (pass == 0 || all == nullptr) return 0;
    const double passes = PassesOf(phase.phase, spec);
    seconds += pass * passes + FetchSeconds(calibration, *all, phase,
                                            plan.strategy == Strategy::kFull, passes, pass);
  }
  return seconds;
}

}  // namespace phasor::engine
