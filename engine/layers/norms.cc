#include "engine/layers/norms.h"

namespace phasor::engine {

GroupNorm::GroupNorm(const WeightScope& weights, int64_t groups, int64_t channels, double eps)
    : groups_(groups),
      eps_(eps),
      weight_(weights.Get("weight", {channels})),
      bias_(weights.Get("bias", {channels})) {}

at::Tensor GroupNorm::Forward(const at::Tensor& x) const {
  return at::group_norm(x, groups_, *weight_, *bias_, eps_);
}

at::Tensor GroupNorm::Forward(const at::Tensor& x, Activation activation) const {
  return Activate(activation, Forward(x));
}

LayerNorm::LayerNorm(const WeightScope& weights, int64_t channels, double eps)
    : eps_(eps),
      weight_(weights.Get("weight", {channels})),
      bias_(weights.Get("bias", {channels})) {}

at::Tensor LayerNorm::Forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight_->sizes(), *weight_, *bias_, eps_);
}

}  // namespace phasor::engine
