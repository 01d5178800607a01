// What a family declares about its weights: parts that come and go together, and the phases that
// compute with each. Where they are meanwhile is not the family's business.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/engine.h"
#include "engine/weights/weight_set.h"

namespace phasor::engine {

struct ModelPart {
  std::string name;              // "unet", "vae.decoder": for people
  std::vector<UnitKind> phases;  // empty: nothing that a run does needs it
  std::shared_ptr<WeightSet> weights;

  bool NeededIn(UnitKind phase) const {
    return std::find(phases.begin(), phases.end(), phase) != phases.end();
  }
};

}  // namespace phasor::engine
