// A cheap picture of latents: one linear map per pixel from latent channels to RGB.
// Immutable, thread-safe.
#pragma once

#include <optional>

#include "common/base/status.h"
#include "common/config/model_card.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

class LatentPreview {
 public:
  // The card's factors, or those of SD 1.x's VAE. INVALID_ARGUMENT unless there is one row per
  // latent channel.
  static StatusOr<LatentPreview> Make(const std::optional<config::PreviewFactors>& factors,
                                      int64_t latent_channels);

  // [1, C, h, w] -> [1, 3, h, w] in about [-1, 1].
  at::Tensor Render(const at::Tensor& latents) const;

 private:
  LatentPreview(at::Tensor weight, at::Tensor bias);
  at::Tensor weight_;  // [3, C]
  at::Tensor bias_;    // [3, 1]
};

}  // namespace phasor::engine
