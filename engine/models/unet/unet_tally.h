// The denoiser's pass, as engine/layers/tally.h adds it up. Follows Unet::Forward.
#pragma once

#include <cstdint>

#include "engine/layers/tally.h"
#include "engine/models/unet/config.h"

namespace phasor::engine {

struct UnetShape {
  int64_t batch = 1;
  int64_t height = 0;  // of the latents
  int64_t width = 0;
  int64_t tokens = 0;  // of the context
};

// Takes the output. The context's keys and values are the caller's.
void TallyUnet(Tally& tally, const UnetConfig& config, const UnetShape& shape);

// What Unet::Prepare leaves: keys and values of all cross-attentions.
int64_t UnetContextValues(const UnetConfig& config, const UnetShape& shape);

}  // namespace phasor::engine
