#include "engine/layers/linear.h"

namespace phasor::engine {

Linear::Linear(const WeightScope& weights, int64_t in, int64_t out, bool bias)
    : weight_(weights.Get("weight", {out, in})) {
  if (bias) bias_ = weights.Get("bias", {out});
}

at::Tensor Linear::Forward(const at::Tensor& x) const {
  return at::linear(x, *weight_, bias_.defined() ? *bias_ : at::Tensor());
}

}  // namespace phasor::engine
