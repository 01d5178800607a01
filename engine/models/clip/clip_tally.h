// The text encoder's pass, as engine/layers/tally.h adds it up. Follows ClipTextModel::Encode.
#pragma once

#include <cstdint>

#include "engine/layers/tally.h"
#include "engine/models/clip/config.h"

namespace phasor::engine {

// Takes the embeddings of one text.
void TallyClip(Tally& tally, const ClipConfig& config, int64_t tokens);

}  // namespace phasor::engine
