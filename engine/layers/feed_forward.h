// The transformer blocks' feed-forward with GEGLU (diffusers attention.py, activations.py).
// One thread; keeps handles to its parameters.
#pragma once

#include "engine/layers/linear.h"

namespace phasor::engine {

class GegluFeedForward {
 public:
  // The inner width is 4 x channels.
  GegluFeedForward(const WeightScope& weights, int64_t channels);

  at::Tensor Forward(const at::Tensor& x) const;  // [..., channels]

 private:
  Linear proj_;  // net.0.proj: value and gate
  Linear out_;   // net.2
};

}  // namespace phasor::engine
