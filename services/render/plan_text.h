// What --plan prints: the predicted peak of each phase under each strategy, and where the parts are
// under the one that would run. Pure.
#pragma once

#include <string>

#include "engine/api/engine.h"

namespace phasor::render {

// `shown` is the strategy whose placements are listed.
std::string PlanText(const engine::ModelPlan& plan, const std::string& shown,
                     const engine::LargestSquares& largest);

// The same for programs: a line of JSON. `shown` is what would run.
std::string PlanJson(const engine::ModelPlan& plan, const engine::ResidencyPlan& shown,
                     const PictureSpec& spec);

}  // namespace phasor::render
