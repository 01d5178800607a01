// What a family declares about its weights: parts that come and go together, and the phases that
// compute with each. Where they are meanwhile is not the family's business.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/api/unit_kind.h"
#include "engine/weights/weight_set.h"

namespace phasor::engine {

struct ModelPart {
  std::string name;              // "unet", "vae.decoder": for people
  std::vector<UnitKind> phases;  // empty: nothing that a run does needs it
  std::shared_ptr<WeightSet> weights;
};

}  // namespace phasor::engine
