#include "engine/api/engine.h"

namespace phasor::engine {

StatusOr<ModelPlan> Model::Plan(const PictureSpec&) const {
  return Unimplemented("plan: this engine does not know what it takes");
}

}  // namespace phasor::engine
