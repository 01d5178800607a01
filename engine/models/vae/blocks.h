// The VAE's parts: mid block with its one-headed attention, encoder and decoder levels (diffusers
// unet_2d_blocks.py and vae.py). One thread; they keep handles to their parameters.
#pragma once

#include <optional>
#include <vector>

#include "engine/layers/attention.h"
#include "engine/layers/resnet.h"
#include "engine/models/vae/config.h"

namespace phasor::engine {

class VaeAttention {
 public:
  VaeAttention(const WeightScope& weights, int64_t channels, int64_t groups);

  at::Tensor Forward(const at::Tensor& x) const;  // [B, C, H, W]

 private:
  GroupNorm group_norm_;
  Attention attention_;
};

class VaeMidBlock {
 public:
  VaeMidBlock(const WeightScope& weights, const VaeConfig& config);

  at::Tensor Forward(const at::Tensor& x) const;  // [B, C, H, W]

 private:
  ResnetBlock resnet0_;
  std::optional<VaeAttention> attention_;
  ResnetBlock resnet1_;
};

// A level: resnets, then the resampler unless it is the last level.
class VaeDownBlock {
 public:
  VaeDownBlock(const WeightScope& weights, const VaeConfig& config, int64_t in, int64_t out,
               bool last);

  at::Tensor Forward(at::Tensor x) const;  // [B, in, H, W] -> [B, out, H/2, W/2]

 private:
  std::vector<ResnetBlock> resnets_;
  std::optional<Downsample> downsampler_;
};

class VaeUpBlock {
 public:
  VaeUpBlock(const WeightScope& weights, const VaeConfig& config, int64_t in, int64_t out,
             bool last);

  at::Tensor Forward(at::Tensor x) const;  // [B, in, H, W] -> [B, out, 2H, 2W]

 private:
  std::vector<ResnetBlock> resnets_;
  std::optional<Upsample> upsampler_;
};

class VaeEncoder {
 public:
  VaeEncoder(const WeightScope& weights, const VaeConfig& config);

  at::Tensor Forward(const at::Tensor& image) const;  // [B, 3, H, W] -> [B, 2z, H/s, W/s]

 private:
  Conv2d conv_in_;
  std::vector<VaeDownBlock> down_blocks_;
  VaeMidBlock mid_block_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

class VaeDecoder {
 public:
  VaeDecoder(const WeightScope& weights, const VaeConfig& config);

  at::Tensor Forward(const at::Tensor& latents) const;  // [B, z, h, w] -> [B, 3, s h, s w]

 private:
  Conv2d conv_in_;
  VaeMidBlock mid_block_;
  std::vector<VaeUpBlock> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace phasor::engine
