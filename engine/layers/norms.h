// GroupNorm and LayerNorm. Channels-last fp32 on the CPU takes our own fused loop (kernels.h),
// anything else LibTorch's. One thread; they keep handles to their parameters.
#pragma once

#include "engine/layers/activation.h"
#include "engine/weights/weight_store.h"

namespace phasor::engine {

class GroupNorm {
 public:
  GroupNorm(const WeightScope& weights, int64_t groups, int64_t channels, double eps);

  at::Tensor Forward(const at::Tensor& x) const;  // [B, C, ...]
  // Norm and activation in one: the pair that every resnet has twice.
  at::Tensor Forward(const at::Tensor& x, Activation activation) const;
  // The same of a tensor that is given away: in its own memory where nobody else holds it.
  at::Tensor Consume(at::Tensor x, Activation activation) const;

 private:
  at::Tensor Run(const at::Tensor& x, bool silu) const;
  void RunFused(const at::Tensor& x, const at::Tensor& out, bool silu) const;

  int64_t groups_;
  double eps_;
  Weight weight_;  // [C]
  Weight bias_;    // [C]
};

class LayerNorm {
 public:
  LayerNorm(const WeightScope& weights, int64_t channels, double eps);

  at::Tensor Forward(const at::Tensor& x) const;  // [..., C]

 private:
  double eps_;
  Weight weight_;  // [C]
  Weight bias_;    // [C]
};

}  // namespace phasor::engine
