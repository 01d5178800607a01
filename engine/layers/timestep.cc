#include "engine/layers/timestep.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "engine/tensor/rounded.h"

namespace phasor::engine {

at::Tensor Sinusoid(const at::Tensor& t, const SinusoidOptions& options) {
  const int64_t half = options.width / 2;
  at::Tensor exponent = -std::log(10000.0) * at::arange(half, at::kFloat);
  exponent = exponent / (static_cast<double>(half) - options.freq_shift);
  const at::Tensor angle = t.to(at::kFloat).unsqueeze(1) * rounded::Exp(exponent);  // [B, half]
  const at::Tensor sine = rounded::Sin(angle);
  const at::Tensor cosine = rounded::Cos(angle);
  at::Tensor out = options.flip_sin_to_cos ? at::cat({cosine, sine}, 1)
                                           : at::cat({sine, cosine}, 1);  // [B, 2 half]
  if (options.width % 2 == 1) out = at::constant_pad_nd(out, {0, 1});     // [B, width]
  return out;
}

TimestepMlp::TimestepMlp(const WeightScope& weights, const TimestepMlpOptions& options)
    : options_(options),
      linear_1_(weights / "linear_1", options.in, options.out),
      linear_2_(weights / "linear_2", options.out, options.out) {
  if (options.condition) {
    cond_proj_.emplace(weights / "cond_proj", *options.condition, options.in, false);
  }
}

at::Tensor TimestepMlp::Forward(const at::Tensor& x, const at::Tensor& condition) const {
  at::Tensor input = x;
  if (cond_proj_ && condition.defined()) input = input + cond_proj_->Forward(condition);
  at::Tensor out =
      linear_2_.Forward(Activate(options_.activation, linear_1_.Forward(input)));  // [B, out]
  if (options_.post_activation) out = Activate(*options_.post_activation, out);
  return out;
}

}  // namespace phasor::engine
