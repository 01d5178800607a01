#include "engine/layers/linear.h"

namespace phasor::engine {

Linear::Linear(const WeightScope& weights, int64_t in, int64_t out, bool bias)
    : weight_(weights.Get("weight", {out, in})) {
  if (bias) bias_ = weights.Get("bias", {out});
}

at::Tensor Linear::Forward(const at::Tensor& x) const {
  // As a matrix, so that a strided view needs no copy and the bias no pass of its own.
  const at::Tensor rows = x.reshape({-1, x.size(-1)});  // [rows, in]
  const at::Tensor out =
      at::linear(rows, *weight_, bias_.defined() ? *bias_ : at::Tensor());  // [rows, out]
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = out.size(-1);
  return out.view(shape);  // [..., out]
}

}  // namespace phasor::engine
