#include "engine/layers/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

namespace phasor::engine {

at::Tensor MultiHeadAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              int64_t heads, bool causal) {
  const auto split = [heads](const at::Tensor& x) {
    return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);  // [B, heads, S, d]
  };
  const at::Tensor out = at::scaled_dot_product_attention(split(q), split(k), split(v), {}, 0.0,
                                                          causal);  // [B, heads, S, d]
  return out.transpose(1, 2).flatten(2);                            // [B, S, heads * d]
}

Attention::Attention(const WeightScope& weights, const AttentionOptions& options)
    : heads_(options.heads),
      to_q_(weights / "to_q", options.channels, options.channels, options.qkv_bias),
      to_k_(weights / "to_k", options.context, options.channels, options.qkv_bias),
      to_v_(weights / "to_v", options.context, options.channels, options.qkv_bias),
      to_out_(weights / "to_out.0", options.channels, options.channels) {}

KeyValue Attention::Project(const at::Tensor& context) const {
  return {.key = to_k_.Forward(context), .value = to_v_.Forward(context)};
}

at::Tensor Attention::Forward(const at::Tensor& x, const KeyValue& context) const {
  return to_out_.Forward(MultiHeadAttention(to_q_.Forward(x), context.key, context.value, heads_));
}

}  // namespace phasor::engine
