// Decoding by overlapping tiles with blended seams, as diffusers' enable_vae_tiling does it
// (autoencoder_kl.py, _tiled_decode, with tile_sample_min_size set to the tile). Norms and
// attention see one tile alone, so the picture is another one; the seams are what is blended.
// Pure functions; they throw what `decode` throws.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/tensor/torch.h"

namespace phasor::engine {

struct Tiling {
  int64_t tile = 0;   // latents a side, a multiple of 4
  int64_t scale = 8;  // pixels per latent
};

// Sides of tiles in pixels, from large to small, for a picture of `height` x `width` pixels: what
// diffusers takes for a model of this sample size, and parts of it down to 8 latents; those alone
// that are smaller than the picture.
std::vector<int> TileSides(int64_t sample_size, int64_t scale, int64_t height, int64_t width);

// [1, z, h, w] -> [1, C, scale h, scale w]. Holds two rows of tiles at a time besides the result.
at::Tensor DecodeTiled(const Tiling& tiling, const at::Tensor& latents,
                       const std::function<at::Tensor(const at::Tensor&)>& decode);

}  // namespace phasor::engine
