#include "engine/models/sd1/preview.h"

#include <string>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

namespace phasor::engine {
namespace {

// Least squares over pictures of SD 1.5's VAE, widely used for its previews
// (discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204).
const config::PreviewFactors& Sd15Factors() {
  static const config::PreviewFactors factors = {{{0.298, 0.207, 0.208},
                                                  {0.187, 0.286, 0.173},
                                                  {-0.158, 0.189, 0.264},
                                                  {-0.184, -0.271, -0.473}},
                                                 {0, 0, 0}};
  return factors;
}

}  // namespace

LatentPreview::LatentPreview(at::Tensor weight, at::Tensor bias)
    : weight_(std::move(weight)), bias_(std::move(bias)) {}

StatusOr<LatentPreview> LatentPreview::Make(const std::optional<config::PreviewFactors>& factors,
                                            int64_t latent_channels) {
  const config::PreviewFactors& used = factors ? *factors : Sd15Factors();
  if (static_cast<int64_t>(used.latent_rgb.size()) != latent_channels) {
    return InvalidArgument("preview.latent_rgb: must have " + std::to_string(latent_channels) +
                           " rows, got " + std::to_string(used.latent_rgb.size()));
  }
  at::Tensor weight = at::empty({3, latent_channels}, at::kFloat);
  at::Tensor bias = at::empty({3, 1}, at::kFloat);
  for (int64_t rgb = 0; rgb < 3; ++rgb) {
    for (int64_t c = 0; c < latent_channels; ++c) {
      weight[rgb][c] = static_cast<float>(used.latent_rgb[c][rgb]);
    }
    bias[rgb][0] = static_cast<float>(used.bias[rgb]);
  }
  return LatentPreview(std::move(weight), std::move(bias));
}

at::Tensor LatentPreview::Render(const at::Tensor& latents) const {
  const int64_t height = latents.size(2), width = latents.size(3);
  const at::Tensor columns = latents.reshape({latents.size(1), height * width});  // [C, h w]
  return at::matmul(weight_, columns).add(bias_).view({1, 3, height, width});
}

}  // namespace phasor::engine
