// The residual block of UNet and VAE, and the two resamplers (diffusers resnet.py,
// downsampling.py, upsampling.py). One thread; they keep handles to their parameters.
#pragma once

#include <array>
#include <optional>

#include "engine/layers/activation.h"
#include "engine/layers/conv2d.h"
#include "engine/layers/linear.h"
#include "engine/layers/norms.h"

namespace phasor::engine {

struct ResnetOptions {
  int64_t in = 0;
  int64_t out = 0;
  int64_t temb = 0;  // width of the conditioning vector, 0: none (VAE)
  int64_t groups = 32;
  double eps = 1e-5;
  Activation activation = Activation::kSilu;
  bool scale_shift = false;  // resnet_time_scale_shift: "scale_shift" instead of "default"
  double output_scale = 1;   // the sum is divided by it
};

class ResnetBlock {
 public:
  ResnetBlock(const WeightScope& weights, const ResnetOptions& options);

  // [B, in, H, W] -> [B, out, H, W]; temb is [B or 1, temb], undefined without one. An input that
  // is moved in leaves memory as soon as it is used up.
  at::Tensor Forward(at::Tensor x, const at::Tensor& temb = {}) const;

 private:
  at::Tensor Condition(const at::Tensor& temb) const;
  at::Tensor FirstConvolution(const at::Tensor& h, const at::Tensor& condition) const;

  ResnetOptions options_;
  GroupNorm norm1_;
  Conv2d conv1_;
  std::optional<Linear> time_emb_proj_;
  GroupNorm norm2_;
  Conv2d conv2_;
  std::optional<Conv2d> conv_shortcut_;
};

// Halves the size. Padding 0 means one row and column of zeros at the bottom and right (VAE).
class Downsample {
 public:
  Downsample(const WeightScope& weights, int64_t channels, int64_t padding);

  at::Tensor Forward(const at::Tensor& x) const;  // [B, C, H, W] -> [B, C, H/2, W/2]

 private:
  bool asymmetric_;
  Conv2d conv_;
};

class Upsample {
 public:
  Upsample(const WeightScope& weights, int64_t channels);

  // Nearest to `size` (height, width), or doubled without it. An input that is moved in leaves
  // memory before the convolution.
  at::Tensor Forward(at::Tensor x,
                     std::optional<std::array<int64_t, 2>> size = {}) const;  // [B, C, H', W']

 private:
  Conv2d conv_;
};

}  // namespace phasor::engine
