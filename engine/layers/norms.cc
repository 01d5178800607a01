#include "engine/layers/norms.h"

#include "engine/layers/kernels.h"
#include "engine/tensor/owner.h"

namespace phasor::engine {
namespace {

bool IsPlain(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

GroupNorm::GroupNorm(const WeightScope& weights, int64_t groups, int64_t channels, double eps)
    : groups_(groups),
      eps_(eps),
      weight_(weights.Get("weight", {channels})),
      bias_(weights.Get("bias", {channels})) {}

at::Tensor GroupNorm::Forward(const at::Tensor& x) const { return Run(x, false); }

at::Tensor GroupNorm::Forward(const at::Tensor& x, Activation activation) const {
  if (activation == Activation::kSilu) return Run(x, true);
  return Activate(activation, Forward(x));
}

at::Tensor GroupNorm::Consume(at::Tensor x, Activation activation) const {
  if (activation != Activation::kSilu || !IsPlain(x) || !HasOneOwner(x)) {
    return Forward(x, activation);
  }
  RunFused(x, x, true);
  return x;
}

at::Tensor GroupNorm::Run(const at::Tensor& x, bool silu) const {
  if (!IsPlain(x)) {
    const at::Tensor out = at::group_norm(x, groups_, *weight_, *bias_, eps_);
    return silu ? at::silu(out) : out;
  }
  const at::Tensor out = at::empty_like(x);
  RunFused(x, out, silu);
  return out;
}

void GroupNorm::RunFused(const at::Tensor& x, const at::Tensor& out, bool silu) const {
  const GroupNormShape shape{.batch = x.size(0),
                             .pixels = x.size(2) * x.size(3),
                             .channels = x.size(1),
                             .groups = groups_};
  GroupNormNhwc(x.const_data_ptr<float>(), out.mutable_data_ptr<float>(), shape,
                weight_->const_data_ptr<float>(), bias_->const_data_ptr<float>(), eps_, silu);
}

LayerNorm::LayerNorm(const WeightScope& weights, int64_t channels, double eps)
    : eps_(eps),
      weight_(weights.Get("weight", {channels})),
      bias_(weights.Get("bias", {channels})) {}

at::Tensor LayerNorm::Forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight_->sizes(), *weight_, *bias_, eps_);
}

}  // namespace phasor::engine
