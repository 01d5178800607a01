// A run's plan of memory: what the family declares, the request's shape and the device's state, put
// together. One thread, the device's; moves nothing.
#pragma once

#include <optional>

#include "engine/api/engine.h"
#include "engine/memory/residency.h"
#include "engine/runtime/pipeline.h"

namespace phasor::engine {

// Of the strategy, or without one of the cheapest that fits.
ResidencyPlan PlanRun(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec,
                      std::optional<Strategy> strategy);

// Of every strategy.
ModelPlan PlanModel(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec);

}  // namespace phasor::engine
