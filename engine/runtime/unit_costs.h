// What the units of a model have taken so far, so that a run can say how long the next will take.
// One thread (the executor).
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "engine/api/engine.h"
#include "engine/calibration/calibration.h"

namespace phasor::engine {

class UnitCosts {
 public:
  explicit UnitCosts(std::shared_ptr<const Calibration> calibration)
      : calibration_(std::move(calibration)) {}

  // Takes in a measured unit. Steps cost per image, and with guidance twice, so these are kept
  // apart by shape and guidance.
  void Add(const PictureSpec& spec, UnitKind kind, double seconds);

  // Seconds that a unit of this kind is expected to take, as they took so far, or as measured once;
  // 0: not known.
  double Predict(const PictureSpec& spec, UnitKind kind) const;

 private:
  using Key = std::tuple<UnitKind, int, int, bool>;  // width, height, guidance
  static Key KeyOf(const PictureSpec& spec, UnitKind kind);

  const std::shared_ptr<const Calibration> calibration_;
  std::map<Key, double> seconds_per_image_;
};

}  // namespace phasor::engine
