#include "engine/api/engine.h"

namespace phasor::engine {

StatusOr<ModelPlan> Model::Plan(const PictureSpec&) const {
  return Unimplemented("plan: this engine does not know what it takes");
}

StatusOr<LargestSquares> Model::Largest(const PictureSpec&) const {
  return Unimplemented("plan: this engine does not know which pictures fit");
}

StatusOr<std::string> Model::Keep(const Calibration&) const {
  return Unimplemented("profile: this engine does not measure what it takes");
}

}  // namespace phasor::engine
