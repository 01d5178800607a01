// The decoder's pass, as engine/layers/tally.h adds it up. Follows AutoencoderKl::Decode.
#pragma once

#include <cstdint>

#include "engine/layers/tally.h"
#include "engine/models/vae/config.h"

namespace phasor::engine {

// Takes the picture. `height` and `width` are those of one image's latents.
void TallyDecoder(Tally& tally, const VaeConfig& config, int64_t height, int64_t width);

}  // namespace phasor::engine
