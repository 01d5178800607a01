// A square 2-D convolution, in channels-last memory unless its weights say otherwise.
//
// On the CPU in fp32 the weight comes packed for oneDNN, for the first input's shape. Other shapes
// and types still work: oneDNN repacks where another form is better, and what a fused form does not
// take is done in two passes.
// One thread; keeps handles to its parameters.
#pragma once

#include "engine/weights/weight_store.h"

namespace phasor::engine {

struct Conv2dOptions {
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 1;
};

class Conv2d {
 public:
  Conv2d(const WeightScope& weights, const Conv2dOptions& options);

  at::Tensor Forward(const at::Tensor& x) const { return Run(x, *bias_, {}); }
  // Adds `shift` [out] to the bias, or `sum` [B, out, H', W'] to the result, in the same pass.
  at::Tensor ForwardShifted(const at::Tensor& x, const at::Tensor& shift) const;
  at::Tensor ForwardPlus(const at::Tensor& x, const at::Tensor& sum) const {
    return Run(x, *bias_, sum);
  }

 private:
  // [B, in, H, W] -> [B, out, H', W']; `sum` may be undefined.
  at::Tensor Run(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& sum) const;

  Conv2dOptions options_;
  Weight weight_;  // [out, in, k, k]
  Weight bias_;    // [out]
};

}  // namespace phasor::engine
