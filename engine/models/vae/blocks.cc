#include "engine/models/vae/blocks.h"

#include <utility>

#include <ATen/TensorOperators.h>

namespace phasor::engine {
namespace {

constexpr double kEps = 1e-6;  // every norm of the VAE

ResnetOptions Resnet(const VaeConfig& config, int64_t in, int64_t out) {
  return {
      .in = in, .out = out, .groups = config.groups, .eps = kEps, .activation = config.activation};
}

}  // namespace

VaeAttention::VaeAttention(const WeightScope& weights, int64_t channels, int64_t groups)
    : group_norm_(weights / "group_norm", groups, channels, kEps),
      attention_(weights,
                 {.channels = channels, .context = channels, .heads = 1, .qkv_bias = true}) {}

at::Tensor VaeAttention::Forward(const at::Tensor& x) const {
  const at::Tensor h = group_norm_.Forward(x).flatten(2).transpose(1, 2);  // [B, HW, C]
  const at::Tensor attended = attention_.Forward(h).transpose(1, 2);       // [B, C, HW]
  return x + attended.unflatten(2, x.sizes().slice(2));                    // [B, C, H, W]
}

VaeMidBlock::VaeMidBlock(const WeightScope& weights, const VaeConfig& config)
    : resnet0_(weights / "resnets.0",
               Resnet(config, config.block_out_channels.back(), config.block_out_channels.back())),
      resnet1_(weights / "resnets.1",
               Resnet(config, config.block_out_channels.back(), config.block_out_channels.back())) {
  if (config.mid_block_add_attention) {
    attention_.emplace(weights / "attentions.0", config.block_out_channels.back(), config.groups);
  }
}

at::Tensor VaeMidBlock::Forward(const at::Tensor& x) const {
  at::Tensor h = resnet0_.Forward(x);
  if (attention_) h = attention_->Forward(h);
  return resnet1_.Forward(std::move(h));
}

VaeDownBlock::VaeDownBlock(const WeightScope& weights, const VaeConfig& config, int64_t in,
                           int64_t out, bool last) {
  for (int64_t i = 0; i < config.layers_per_block; ++i) {
    resnets_.emplace_back(weights / "resnets" / static_cast<size_t>(i),
                          Resnet(config, i == 0 ? in : out, out));
  }
  if (!last) downsampler_.emplace(weights / "downsamplers.0", out, 0);
}

at::Tensor VaeDownBlock::Forward(at::Tensor x) const {
  for (const ResnetBlock& resnet : resnets_) x = resnet.Forward(std::move(x));  // [B, out, H, W]
  return downsampler_ ? downsampler_->Forward(x) : x;  // [B, out, H/2, W/2]
}

VaeUpBlock::VaeUpBlock(const WeightScope& weights, const VaeConfig& config, int64_t in, int64_t out,
                       bool last) {
  for (int64_t i = 0; i < config.layers_per_block + 1; ++i) {
    resnets_.emplace_back(weights / "resnets" / static_cast<size_t>(i),
                          Resnet(config, i == 0 ? in : out, out));
  }
  if (!last) upsampler_.emplace(weights / "upsamplers.0", out);
}

at::Tensor VaeUpBlock::Forward(at::Tensor x) const {
  for (const ResnetBlock& resnet : resnets_) x = resnet.Forward(std::move(x));  // [B, out, H, W]
  return upsampler_ ? upsampler_->Forward(std::move(x)) : x;                    // [B, out, 2H, 2W]
}

VaeEncoder::VaeEncoder(const WeightScope& weights, const VaeConfig& config)
    : conv_in_(weights / "conv_in",
               {.in = config.in_channels, .out = config.block_out_channels.front()}),
      mid_block_(weights / "mid_block", config),
      conv_norm_out_(weights / "conv_norm_out", config.groups, config.block_out_channels.back(),
                     kEps),
      conv_out_(weights / "conv_out",
                {.in = config.block_out_channels.back(), .out = 2 * config.latent_channels}) {
  const std::vector<int64_t>& channels = config.block_out_channels;
  for (size_t i = 0; i < channels.size(); ++i) {
    down_blocks_.emplace_back(weights / "down_blocks" / i, config, channels[i == 0 ? 0 : i - 1],
                              channels[i], i + 1 == channels.size());
  }
}

at::Tensor VaeEncoder::Forward(const at::Tensor& image) const {
  at::Tensor x = conv_in_.Forward(image);  // [B, c0, H, W]
  for (const VaeDownBlock& block : down_blocks_)
    x = block.Forward(std::move(x));  // [B, c, H/s, W/s]
  x = mid_block_.Forward(x);
  return conv_out_.Forward(
      conv_norm_out_.Consume(std::move(x), Activation::kSilu));  // [B, 2z, H/s, W/s]
}

VaeDecoder::VaeDecoder(const WeightScope& weights, const VaeConfig& config)
    : conv_in_(weights / "conv_in",
               {.in = config.latent_channels, .out = config.block_out_channels.back()}),
      mid_block_(weights / "mid_block", config),
      conv_norm_out_(weights / "conv_norm_out", config.groups, config.block_out_channels.front(),
                     kEps),
      conv_out_(weights / "conv_out",
                {.in = config.block_out_channels.front(), .out = config.out_channels}) {
  const std::vector<int64_t> channels(config.block_out_channels.rbegin(),
                                      config.block_out_channels.rend());
  for (size_t i = 0; i < channels.size(); ++i) {
    up_blocks_.emplace_back(weights / "up_blocks" / i, config, channels[i == 0 ? 0 : i - 1],
                            channels[i], i + 1 == channels.size());
  }
}

at::Tensor VaeDecoder::Forward(const at::Tensor& latents) const {
  at::Tensor x = mid_block_.Forward(conv_in_.Forward(latents));                // [B, c, h, w]
  for (const VaeUpBlock& block : up_blocks_) x = block.Forward(std::move(x));  // [B, c0, s h, s w]
  return conv_out_.Forward(
      conv_norm_out_.Consume(std::move(x), Activation::kSilu));  // [B, 3, s h, s w]
}

}  // namespace phasor::engine
