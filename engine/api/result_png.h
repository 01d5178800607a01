// A run's picture as the PNG that is handed out: the one function that workers and phasor-render
// share, so that their bytes are the same. Stateless, thread-safe.
#pragma once

#include <string>

#include "common/base/status.h"
#include "engine/api/engine.h"

namespace phasor::engine {

// Picture `index` of a run of `spec`; `report` says what ran. INVALID_ARGUMENT when size and bytes
// of the picture disagree.
StatusOr<std::string> ResultPng(const PictureSpec& spec, const ModelInfo& model,
                                const RunReport& report, int index, const Image& image);

}  // namespace phasor::engine
