// Which pipeline class of a model_index.json is loaded by whom: the only place that lists families.
// Thread-safe (constant table).
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "engine/runtime/pipeline.h"

namespace phasor::engine {

// Loads a model directory by the class that its model_index.json names. INVALID_ARGUMENT for a
// class that no family runs, with those that are run; else what the family reports.
StatusOr<std::unique_ptr<Pipeline>> LoadPipeline(const PipelineSource& source);

}  // namespace phasor::engine
