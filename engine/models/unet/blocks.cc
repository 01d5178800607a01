#include "engine/models/unet/blocks.h"

#include <algorithm>
#include <utility>

namespace phasor::engine {
namespace {

constexpr double kTransformerNormEps = 1e-6;  // not norm_eps
constexpr double kLayerNormEps = 1e-5;

ResnetOptions Resnet(const UnetConfig& config, int64_t in, int64_t out) {
  return {.in = in,
          .out = out,
          .temb = config.time_embedding_dim,
          .groups = config.groups,
          .eps = config.norm_eps,
          .activation = config.activation,
          .scale_shift = config.scale_shift};
}

ResnetOptions MidResnet(const UnetConfig& config) {
  ResnetOptions options = Resnet(config, config.mid_level.channels, config.mid_level.channels);
  options.output_scale = config.mid_block_scale_factor;
  return options;
}

TransformerOptions Transformer(const UnetConfig& config, const UnetLevel& level, size_t index) {
  return {.channels = level.channels,
          .heads = level.heads,
          .context = level.context,
          .layers = level.transformer_layers[index],
          .groups = config.groups,
          .linear_projection = config.linear_projection,
          .only_cross_attention = level.only_cross_attention};
}

}  // namespace

TransformerBlock::TransformerBlock(const WeightScope& weights, const TransformerOptions& options)
    : only_cross_attention_(options.only_cross_attention),
      norm1_(weights / "norm1", options.channels, kLayerNormEps),
      attn1_(weights / "attn1",
             {.channels = options.channels,
              .context = options.only_cross_attention ? options.context : options.channels,
              .heads = options.heads}),
      norm2_(weights / "norm2", options.channels, kLayerNormEps),
      attn2_(weights / "attn2",
             {.channels = options.channels, .context = options.context, .heads = options.heads}),
      norm3_(weights / "norm3", options.channels, kLayerNormEps),
      ff_(weights / "ff", options.channels) {}

void TransformerBlock::ProjectContext(const at::Tensor& context, ContextKeyValues& out) const {
  if (only_cross_attention_) out.push_back(attn1_.Project(context));
  out.push_back(attn2_.Project(context));
}

at::Tensor TransformerBlock::Forward(const at::Tensor& x, ContextCursor& context) const {
  const at::Tensor n = norm1_.Forward(x);
  // Sums in place of the sublayers' fresh results.
  at::Tensor h = only_cross_attention_ ? attn1_.Forward(n, context.Next()) : attn1_.Forward(n);
  h.add_(x);
  h = attn2_.Forward(norm2_.Forward(h), context.Next()).add_(h);
  return ff_.Forward(norm3_.Forward(h)).add_(h);  // [B, HW, C]
}

SpatialTransformer::SpatialTransformer(const WeightScope& weights,
                                       const TransformerOptions& options)
    : norm_(weights / "norm", options.groups, options.channels, kTransformerNormEps),
      proj_in_(weights / "proj_in", options.channels, options.channels),
      proj_out_(weights / "proj_out", options.channels, options.channels) {
  for (int64_t i = 0; i < options.layers; ++i) {
    blocks_.emplace_back(weights / "transformer_blocks" / static_cast<size_t>(i), options);
  }
}

void SpatialTransformer::ProjectContext(const at::Tensor& context, ContextKeyValues& out) const {
  for (const TransformerBlock& block : blocks_) block.ProjectContext(context, out);
}

at::Tensor SpatialTransformer::Forward(const at::Tensor& x, ContextCursor& context) const {
  // In channels-last memory both reshapes are views.
  at::Tensor h = norm_.Forward(x).flatten(2).transpose(1, 2);  // [B, HW, C]
  h = proj_in_.Forward(h);
  for (const TransformerBlock& block : blocks_) h = block.Forward(h, context);
  h = proj_out_.Forward(h).transpose(1, 2);           // [B, C, HW]
  return h.unflatten(2, x.sizes().slice(2)).add_(x);  // [B, C, H, W]
}

UnetDownBlock::UnetDownBlock(const WeightScope& weights, const UnetConfig& config, size_t level) {
  const UnetLevel& own = config.down[level];
  const int64_t in = config.down[level == 0 ? 0 : level - 1].channels;
  for (size_t i = 0; i < static_cast<size_t>(own.layers); ++i) {
    resnets_.emplace_back(weights / "resnets" / i,
                          Resnet(config, i == 0 ? in : own.channels, own.channels));
    if (own.cross_attention) {
      attentions_.emplace_back(weights / "attentions" / i, Transformer(config, own, i));
    }
  }
  if (level + 1 < config.down.size()) {
    downsampler_.emplace(weights / "downsamplers.0", own.channels, config.downsample_padding);
  }
}

void UnetDownBlock::ProjectContext(const at::Tensor& context, ContextKeyValues& out) const {
  for (const SpatialTransformer& attention : attentions_) attention.ProjectContext(context, out);
}

at::Tensor UnetDownBlock::Forward(at::Tensor x, const at::Tensor& temb, ContextCursor& context,
                                  std::vector<at::Tensor>& skips) const {
  for (size_t i = 0; i < resnets_.size(); ++i) {
    x = resnets_[i].Forward(x, temb);  // [B, channels, H, W]
    if (!attentions_.empty()) x = attentions_[i].Forward(x, context);
    skips.push_back(x);
  }
  if (downsampler_) {
    x = downsampler_->Forward(x);  // [B, channels, H/2, W/2]
    skips.push_back(x);
  }
  return x;
}

UnetMidBlock::UnetMidBlock(const WeightScope& weights, const UnetConfig& config)
    : resnet0_(weights / "resnets.0", MidResnet(config)) {
  if (config.mid == UnetMidType::kCrossAttention) {
    attention_.emplace(weights / "attentions.0", Transformer(config, config.mid_level, 0));
    resnet1_.emplace(weights / "resnets.1", MidResnet(config));
  }
}

void UnetMidBlock::ProjectContext(const at::Tensor& context, ContextKeyValues& out) const {
  if (attention_) attention_->ProjectContext(context, out);
}

at::Tensor UnetMidBlock::Forward(const at::Tensor& x, const at::Tensor& temb,
                                 ContextCursor& context) const {
  at::Tensor h = resnet0_.Forward(x, temb);
  if (attention_) h = attention_->Forward(h, context);
  return resnet1_ ? resnet1_->Forward(std::move(h), temb) : h;
}

UnetUpBlock::UnetUpBlock(const WeightScope& weights, const UnetConfig& config, size_t level) {
  const UnetLevel& own = config.up[level];
  const int64_t previous = config.up[level == 0 ? 0 : level - 1].channels;
  const int64_t input = config.up[std::min(level + 1, config.up.size() - 1)].channels;
  const size_t layers = static_cast<size_t>(own.layers) + 1;
  for (size_t i = 0; i < layers; ++i) {
    const int64_t hidden = i == 0 ? previous : own.channels;
    const int64_t skip = i + 1 == layers ? input : own.channels;
    resnets_.emplace_back(weights / "resnets" / i, Resnet(config, hidden + skip, own.channels));
    if (own.cross_attention) {
      attentions_.emplace_back(weights / "attentions" / i, Transformer(config, own, i));
    }
  }
  if (level + 1 < config.up.size()) upsampler_.emplace(weights / "upsamplers.0", own.channels);
}

void UnetUpBlock::ProjectContext(const at::Tensor& context, ContextKeyValues& out) const {
  for (const SpatialTransformer& attention : attentions_) attention.ProjectContext(context, out);
}

at::Tensor UnetUpBlock::Forward(at::Tensor x, const at::Tensor& temb, ContextCursor& context,
                                std::vector<at::Tensor>& skips, bool force_size) const {
  for (size_t i = 0; i < resnets_.size(); ++i) {
    x = at::cat({x, skips.back()}, 1);  // [B, hidden + skip, H, W]
    skips.pop_back();
    x = resnets_[i].Forward(std::move(x), temb);  // [B, channels, H, W]
    if (!attentions_.empty()) x = attentions_[i].Forward(x, context);
  }
  if (!upsampler_) return x;
  if (!force_size) return upsampler_->Forward(std::move(x));  // [B, channels, 2H, 2W]
  const at::Tensor& next = skips.back();
  return upsampler_->Forward(std::move(x), std::array{next.size(2), next.size(3)});
}

}  // namespace phasor::engine
