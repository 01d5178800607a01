// One pre-norm layer of the CLIP text encoder (transformers modeling_clip.py, CLIPEncoderLayer).
// One thread; keeps handles to its parameters.
#pragma once

#include "engine/layers/linear.h"
#include "engine/layers/norms.h"
#include "engine/models/clip/config.h"

namespace phasor::engine {

class ClipLayer {
 public:
  ClipLayer(const WeightScope& weights, const ClipConfig& config);

  at::Tensor Forward(const at::Tensor& x) const;  // [B, S, d], causal

 private:
  int64_t heads_;
  Activation activation_;
  LayerNorm layer_norm1_;
  Linear q_proj_;
  Linear k_proj_;
  Linear v_proj_;
  Linear out_proj_;
  LayerNorm layer_norm2_;
  Linear fc1_;
  Linear fc2_;
};

}  // namespace phasor::engine
