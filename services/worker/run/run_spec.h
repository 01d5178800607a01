// Between a job's spec and the engine: what to run, and what the finished picture says about
// itself. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/job/generate_spec.h"
#include "engine/api/engine.h"
#include "services/worker/run/publisher.h"

namespace phasor::worker {

engine::RunSpec RunSpecOf(const job::GenerateSpec& spec);

// The run's pictures as PNG files that say how they were made, without names in the store.
StatusOr<std::vector<Picture>> EncodePictures(const engine::Run& run, const engine::RunSpec& spec,
                                              const engine::ModelInfo& model);

}  // namespace phasor::worker
