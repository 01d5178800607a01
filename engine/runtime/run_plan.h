// A run's plan of memory: what the family declares, the request's shape and the device's state, put
// together. One thread, the device's; moves nothing.
#pragma once

#include <optional>

#include "engine/api/engine.h"
#include "engine/calibration/calibration.h"
#include "engine/memory/residency.h"
#include "engine/runtime/pipeline.h"

namespace phasor::engine {

// What is planned.
struct PlanInput {
  const Pipeline& pipeline;
  const Residency& residency;
  const Calibration& calibration;
  const PictureSpec& spec;
  WeightForm form = WeightForm::kPlain;
};

// What could be done in pieces, or elsewhere.
Cuttable CuttableIn(const PlanInput& input);

// Of the strategy with these cuts.
RunPlan PlanWith(const PlanInput& input, Strategy strategy, const Cuts& cuts);

// Of the cheapest strategy that fits; where none does, of the leanest with as few cuts as make it
// fit. A prediction is no proof: what does not fit with any is the last one tried.
RunPlan ChoosePlan(const PlanInput& input, const Cuts& cuts);

// Of every strategy in every form, and what ChoosePlan chooses.
ModelPlan PlanModel(const PlanInput& input);

LargestSquares FindLargest(const PlanInput& input);

}  // namespace phasor::engine
