// From the command line and the model card to what the engine runs. Pure, thread-safe.
#pragma once

#include "common/base/status.h"
#include "common/config/model_card.h"
#include "engine/api/engine.h"
#include "services/render/render_options.h"

namespace phasor::render {

// Fills in the card's defaults and checks against its limits, as the gateway does.
// INVALID_ARGUMENT names every field that is wrong, one a line.
StatusOr<PictureSpec> MakePictureSpec(const RenderOptions& options, const config::ModelCard& card);

}  // namespace phasor::render
