// A square 2-D convolution in channels-last memory. One thread; keeps handles to its parameters.
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

  at::Tensor Forward(const at::Tensor& x) const;  // [B, in, H, W] -> [B, out, H', W']

 private:
  Conv2dOptions options_;
  Weight weight_;  // [out, in, k, k]
  Weight bias_;    // [out]
};

}  // namespace phasor::engine
