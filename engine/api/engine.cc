#include "engine/api/engine.h"

namespace phasor::engine {

StatusOr<ModelPlan> Model::Plan(const PictureSpec&) const {
  return Unimplemented("plan: this engine does not know what it takes");
}

StatusOr<LargestSquares> Model::Largest(const PictureSpec&) const {
  return Unimplemented("plan: this engine does not know which pictures fit");
}

}  // namespace phasor::engine
