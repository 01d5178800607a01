// A run's pictures as the files that are handed out. Pure function.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "engine/api/engine.h"
#include "services/worker/run/publisher.h"

namespace phasor::worker {

// The run's pictures as PNG files that say how they were made, without names in the store.
StatusOr<std::vector<Picture>> EncodePictures(const engine::Run& run, const PictureSpec& spec,
                                              const engine::ModelInfo& model);

}  // namespace phasor::worker
