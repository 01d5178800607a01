#include "engine/models/clip/blocks.h"

#include <ATen/TensorOperators.h>

#include "engine/layers/attention.h"

namespace phasor::engine {

ClipLayer::ClipLayer(const WeightScope& weights, const ClipConfig& config)
    : heads_(config.heads),
      activation_(config.activation),
      layer_norm1_(weights / "layer_norm1", config.hidden_size, config.layer_norm_eps),
      q_proj_(weights / "self_attn.q_proj", config.hidden_size, config.hidden_size),
      k_proj_(weights / "self_attn.k_proj", config.hidden_size, config.hidden_size),
      v_proj_(weights / "self_attn.v_proj", config.hidden_size, config.hidden_size),
      out_proj_(weights / "self_attn.out_proj", config.hidden_size, config.hidden_size),
      layer_norm2_(weights / "layer_norm2", config.hidden_size, config.layer_norm_eps),
      fc1_(weights / "mlp.fc1", config.hidden_size, config.intermediate_size),
      fc2_(weights / "mlp.fc2", config.intermediate_size, config.hidden_size) {}

at::Tensor ClipLayer::Forward(const at::Tensor& x) const {
  const at::Tensor y = layer_norm1_.Forward(x);
  const at::Tensor attended =
      MultiHeadAttention(q_proj_.Forward(y), k_proj_.Forward(y), v_proj_.Forward(y), heads_, true);
  const at::Tensor h = x + out_proj_.Forward(attended);
  return h + fc2_.Forward(Activate(activation_, fc1_.Forward(layer_norm2_.Forward(h))));
}

}  // namespace phasor::engine
