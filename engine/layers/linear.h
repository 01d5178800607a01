// y = x W^T + b. One thread; keeps handles to its parameters.
#pragma once

#include "engine/weights/weight_store.h"

namespace phasor::engine {

class Linear {
 public:
  Linear(const WeightScope& weights, int64_t in, int64_t out, bool bias = true);

  at::Tensor Forward(const at::Tensor& x) const;  // [..., in] -> [..., out]

 private:
  Weight weight_;  // [out, in]
  Weight bias_;    // [out]
};

}  // namespace phasor::engine
