#include "engine/layers/resnet.h"

#include <utility>

#include <ATen/TensorOperators.h>

#include "engine/tensor/owner.h"

namespace phasor::engine {

ResnetBlock::ResnetBlock(const WeightScope& weights, const ResnetOptions& options)
    : options_(options),
      norm1_(weights / "norm1", options.groups, options.in, options.eps),
      conv1_(weights / "conv1", {.in = options.in, .out = options.out}),
      norm2_(weights / "norm2", options.groups, options.out, options.eps),
      conv2_(weights / "conv2", {.in = options.out, .out = options.out}) {
  if (options.temb > 0) {
    time_emb_proj_.emplace(weights / "time_emb_proj", options.temb,
                           options.scale_shift ? 2 * options.out : options.out);
  }
  if (options.in != options.out) {
    conv_shortcut_.emplace(
        weights / "conv_shortcut",
        Conv2dOptions{.in = options.in, .out = options.out, .kernel = 1, .padding = 0});
  }
}

at::Tensor ResnetBlock::Condition(const at::Tensor& temb) const {
  return time_emb_proj_->Forward(Activate(options_.activation, temb));  // [B, out (or 2 out)]
}

// conv1, and the condition's addition where that is what the condition does.
at::Tensor ResnetBlock::FirstConvolution(const at::Tensor& h, const at::Tensor& condition) const {
  if (!condition.defined() || options_.scale_shift) return conv1_.Forward(h);
  // One timestep for the whole batch: a shift of the bias.
  if (condition.size(0) == 1) return conv1_.ForwardShifted(h, condition[0]);
  return conv1_.Forward(h) + condition.unsqueeze(-1).unsqueeze(-1);
}

at::Tensor ResnetBlock::Forward(at::Tensor x, const at::Tensor& temb) const {
  const at::Tensor condition = time_emb_proj_ ? Condition(temb) : at::Tensor();
  at::Tensor sum, h;
  if (conv_shortcut_ && HasOneOwner(x)) {
    sum = conv_shortcut_->Forward(x);
    h = norm1_.Consume(std::move(x), options_.activation);
  } else {
    h = norm1_.Forward(x, options_.activation);
  }
  h = FirstConvolution(h, condition);  // [B, out, H, W]
  if (condition.defined() && options_.scale_shift) {
    const std::vector<at::Tensor> parts =
        condition.unsqueeze(-1).unsqueeze(-1).chunk(2, 1);  // 2 x [B, out, 1, 1]
    h = Activate(options_.activation, norm2_.Forward(h) * (1 + parts[0]) + parts[1]);
  } else {
    h = norm2_.Consume(std::move(h), options_.activation);
  }
  if (!sum.defined()) sum = conv_shortcut_ ? conv_shortcut_->Forward(x) : std::move(x);
  h = conv2_.ForwardPlus(h, sum);
  return options_.output_scale == 1 ? h : h / options_.output_scale;
}

Downsample::Downsample(const WeightScope& weights, int64_t channels, int64_t padding)
    : asymmetric_(padding == 0),
      conv_(weights / "conv", {.in = channels, .out = channels, .stride = 2, .padding = padding}) {}

at::Tensor Downsample::Forward(const at::Tensor& x) const {
  return conv_.Forward(asymmetric_ ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x);  // [B, C, H/2, W/2]
}

Upsample::Upsample(const WeightScope& weights, int64_t channels)
    : conv_(weights / "conv", {.in = channels, .out = channels}) {}

at::Tensor Upsample::Forward(at::Tensor x, std::optional<std::array<int64_t, 2>> size) const {
  const std::array<int64_t, 2> target =
      size.value_or(std::array<int64_t, 2>{2 * x.size(2), 2 * x.size(3)});
  const at::Tensor larger = at::upsample_nearest2d(x, target);  // [B, C, H', W']
  x.reset();
  return conv_.Forward(larger);
}

}  // namespace phasor::engine
