// Stable Diffusion 1.x, and 2.x where its configs fall out of the same parts: text to image.
// Source: diffusers pipelines/stable_diffusion/pipeline_stable_diffusion.py.
#pragma once

#include <memory>

#include "common/base/status.h"
#include "engine/runtime/pipeline.h"

namespace phasor::engine {

// NOT_FOUND, DATA_LOSS and INVALID_ARGUMENT name the file and the reason.
StatusOr<std::unique_ptr<Pipeline>> LoadSd1Pipeline(const PipelineSource& source);

}  // namespace phasor::engine
