// The UNet's parts (diffusers unet_2d_blocks.py, transformer_2d.py, attention.py).
//
// A cross-attention's keys and values depend on the text context alone. ProjectContext walks all
// cross-attentions in order and appends theirs to a list; Forward reads the list in the same order
// through a cursor. One thread; parts keep handles to their parameters.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "engine/layers/attention.h"
#include "engine/layers/feed_forward.h"
#include "engine/layers/norms.h"
#include "engine/layers/resnet.h"
#include "engine/models/unet/config.h"

namespace phasor::engine {

using ContextKeyValues = std::vector<KeyValue>;

// Reads a list made by ProjectContext, front to back.
class ContextCursor {
 public:
  explicit ContextCursor(const ContextKeyValues& values) : values_(&values) {}
  const KeyValue& Next() { return values_->at(next_++); }

 private:
  const ContextKeyValues* values_;
  size_t next_ = 0;
};

struct TransformerOptions {
  int64_t channels = 0;
  int64_t heads = 0;
  int64_t context = 0;
  int64_t layers = 1;
  int64_t groups = 32;
  bool linear_projection = false;
  bool only_cross_attention = false;
};

// BasicTransformerBlock.
class TransformerBlock {
 public:
  TransformerBlock(const WeightScope& weights, const TransformerOptions& options);

  void ProjectContext(const at::Tensor& context, ContextKeyValues& out) const;
  at::Tensor Forward(const at::Tensor& x, ContextCursor& context) const;  // [B, HW, C]

 private:
  bool only_cross_attention_;
  LayerNorm norm1_;
  Attention attn1_;
  LayerNorm norm2_;
  Attention attn2_;
  LayerNorm norm3_;
  GegluFeedForward ff_;
};

// Transformer2DModel.
class SpatialTransformer {
 public:
  SpatialTransformer(const WeightScope& weights, const TransformerOptions& options);

  void ProjectContext(const at::Tensor& context, ContextKeyValues& out) const;
  at::Tensor Forward(const at::Tensor& x, ContextCursor& context) const;  // [B, C, H, W]

 private:
  GroupNorm norm_;
  Linear proj_in_;  // a 1x1 convolution is the same thing
  std::vector<TransformerBlock> blocks_;
  Linear proj_out_;
};

class UnetDownBlock {
 public:
  UnetDownBlock(const WeightScope& weights, const UnetConfig& config, size_t level);

  void ProjectContext(const at::Tensor& context, ContextKeyValues& out) const;
  // Pushes the output of every layer and of the downsampler; the last one is the result.
  at::Tensor Forward(at::Tensor x, const at::Tensor& temb, ContextCursor& context,
                     std::vector<at::Tensor>& skips) const;

 private:
  std::vector<ResnetBlock> resnets_;
  std::vector<SpatialTransformer> attentions_;  // empty, or one per resnet
  std::optional<Downsample> downsampler_;
};

class UnetMidBlock {
 public:
  UnetMidBlock(const WeightScope& weights, const UnetConfig& config);

  void ProjectContext(const at::Tensor& context, ContextKeyValues& out) const;
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& temb, ContextCursor& context) const;

 private:
  ResnetBlock resnet0_;
  std::optional<SpatialTransformer> attention_;
  std::optional<ResnetBlock> resnet1_;
};

class UnetUpBlock {
 public:
  UnetUpBlock(const WeightScope& weights, const UnetConfig& config, size_t level);

  void ProjectContext(const at::Tensor& context, ContextKeyValues& out) const;
  // Pops its skips from the back. Without `force_size` the upsampler doubles; with it, it meets
  // the next skip's size, for latents that do not halve evenly.
  at::Tensor Forward(at::Tensor x, const at::Tensor& temb, ContextCursor& context,
                     std::vector<at::Tensor>& skips, bool force_size) const;

 private:
  std::vector<ResnetBlock> resnets_;
  std::vector<SpatialTransformer> attentions_;  // empty, or one per resnet
  std::optional<Upsample> upsampler_;
};

}  // namespace phasor::engine
