#include "engine/models/vae/model.h"

#include <ATen/TensorOperators.h>

#include "engine/weights/renames.h"

namespace phasor::engine {

WeightOptions AutoencoderKl::Options(at::ScalarType dtype) {
  const auto part = [](const std::string& name) {
    const bool encodes = name.starts_with("encoder.") || name.starts_with("quant_conv.");
    return std::string(encodes ? "encoder" : "decoder");
  };
  return {.dtype = dtype, .rename = RenameOldVaeAttention, .ignore = {}, .part = part};
}

StatusOr<std::unique_ptr<AutoencoderKl>> AutoencoderKl::Create(const VaeConfig& config,
                                                               WeightStore& weights) {
  std::unique_ptr<AutoencoderKl> model(new AutoencoderKl(config, WeightScope(weights)));
  RETURN_IF_ERROR(weights.Finish());
  return model;
}

AutoencoderKl::AutoencoderKl(const VaeConfig& config, const WeightScope& weights)
    : config_(config),
      encoder_(weights / "encoder", config),
      decoder_(weights / "decoder", config) {
  const auto pointwise = [](int64_t channels) {
    return Conv2dOptions{.in = channels, .out = channels, .kernel = 1, .padding = 0};
  };
  if (config.use_quant_conv) {
    quant_conv_.emplace(weights / "quant_conv", pointwise(2 * config.latent_channels));
  }
  if (config.use_post_quant_conv) {
    post_quant_conv_.emplace(weights / "post_quant_conv", pointwise(config.latent_channels));
  }
}

at::Tensor AutoencoderKl::Encode(const at::Tensor& image) const {
  const at::Tensor moments = encoder_.Forward(image);  // [B, 2z, H/s, W/s]
  return quant_conv_ ? quant_conv_->Forward(moments) : moments;
}

at::Tensor AutoencoderKl::Decode(const at::Tensor& latents) const {
  return decoder_.Forward(post_quant_conv_ ? post_quant_conv_->Forward(latents) : latents);
}

at::Tensor LatentMode(const at::Tensor& moments) {
  return moments.chunk(2, 1)[0];  // [B, z, h, w]
}

at::Tensor LatentSample(const at::Tensor& moments, const at::Tensor& noise) {
  const std::vector<at::Tensor> parts = moments.chunk(2, 1);  // 2 x [B, z, h, w]
  return parts[0] + at::exp(0.5 * at::clamp(parts[1], -30.0, 20.0)) * noise;
}

}  // namespace phasor::engine
