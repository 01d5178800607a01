// AutoencoderKL (diffusers autoencoder_kl.py): the networks alone. Scaling and shifting of latents
// is the pipeline's, through config().
//
// One thread; the caller holds c10::InferenceMode. Forward methods throw c10::Error on misuse.
#pragma once

#include <memory>
#include <optional>

#include "common/base/status.h"
#include "engine/models/vae/blocks.h"
#include "engine/models/vae/config.h"

namespace phasor::engine {

class AutoencoderKl {
 public:
  // The rename of files older than 2023, and the parts "encoder" and "decoder".
  static WeightOptions Options(at::ScalarType dtype);
  static StatusOr<std::unique_ptr<AutoencoderKl>> Create(const VaeConfig& config,
                                                         WeightStore& weights);

  // Mean and log variance: [B, 3, H, W] in [-1, 1] -> [B, 2z, H/s, W/s].
  at::Tensor Encode(const at::Tensor& image) const;
  // [B, z, h, w] -> [B, 3, s h, s w]; not clamped.
  at::Tensor Decode(const at::Tensor& latents) const;

  const VaeConfig& config() const { return config_; }

 private:
  AutoencoderKl(const VaeConfig& config, const WeightScope& weights);

  VaeConfig config_;
  VaeEncoder encoder_;
  VaeDecoder decoder_;
  std::optional<Conv2d> quant_conv_;
  std::optional<Conv2d> post_quant_conv_;
};

// The mean of moments, [B, z, h, w].
at::Tensor LatentMode(const at::Tensor& moments);
// mean + std * noise, the log variance clamped to [-30, 20]; `noise` is standard normal, [B, z, h,
// w].
at::Tensor LatentSample(const at::Tensor& moments, const at::Tensor& noise);

}  // namespace phasor::engine
