// The engine's own check of a PictureSpec, the last line behind the gateway's. Pure, thread-safe.
#pragma once

#include "common/base/status.h"
#include "engine/api/engine.h"

namespace phasor::engine {

// INVALID_ARGUMENT names the field, the limit and the value.
Status CheckSpec(const PictureSpec& spec, const ModelInfo& model);

}  // namespace phasor::engine
