// Multi-head attention on LibTorch's scaled_dot_product_attention (flash on the CPU, too), and
// the layer around it with diffusers' names (attention_processor.py, AttnProcessor2_0).
//
// One thread; keeps handles to its parameters.
#pragma once

#include "engine/layers/linear.h"
#include "engine/weights/weight_store.h"

namespace phasor::engine {

// q, k, v: [B, S, heads * d], heads contiguous in the last axis -> [B, S, heads * d].
at::Tensor MultiHeadAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              int64_t heads, bool causal = false);

struct AttentionOptions {
  int64_t channels = 0;  // of the queries, and heads * head width
  int64_t context = 0;   // of keys and values
  int64_t heads = 1;
  bool qkv_bias = false;
};

// Keys and values of one attention layer for one context; they do not depend on the queries, so
// a text context's are computed once a run.
struct KeyValue {
  at::Tensor key;    // [B, S, channels]
  at::Tensor value;  // [B, S, channels]
};

class Attention {
 public:
  Attention(const WeightScope& weights, const AttentionOptions& options);

  KeyValue Project(const at::Tensor& context) const;  // [B, S, context]

  at::Tensor Forward(const at::Tensor& x, const KeyValue& context) const;  // [B, N, channels]
  // Attends to itself.
  at::Tensor Forward(const at::Tensor& x) const { return Forward(x, Project(x)); }

 private:
  int64_t heads_;
  Linear to_q_;
  Linear to_k_;
  Linear to_v_;
  Linear to_out_;
};

}  // namespace phasor::engine
