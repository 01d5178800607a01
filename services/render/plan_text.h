// What --plan prints: the predicted peak of each phase under each strategy, and where the parts are
// under the one that would run. Pure.
#pragma once

#include <string>

#include "engine/api/engine.h"

namespace phasor::render {

// `shown` is the strategy whose placements are listed.
std::string PlanText(const engine::ModelPlan& plan, engine::Strategy shown);

}  // namespace phasor::render
