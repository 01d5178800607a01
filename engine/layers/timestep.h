// The timestep's way into a denoiser: a sinusoid and a small network (diffusers embeddings.py,
// get_timestep_embedding and TimestepEmbedding). One thread; keeps handles to its parameters.
#pragma once

#include <optional>

#include "engine/layers/activation.h"
#include "engine/layers/linear.h"

namespace phasor::engine {

struct SinusoidOptions {
  int64_t width = 0;
  bool flip_sin_to_cos = true;  // [cos, sin] instead of [sin, cos]
  double freq_shift = 0;
};

// fp32 throughout, in the reference's order of operations: at t = 1000 one ulp of a frequency
// moves the angle by 6e-5. `t` is [B] in any type, on the host as is the fp32 result, [B, width].
at::Tensor Sinusoid(const at::Tensor& t, const SinusoidOptions& options);

struct TimestepMlpOptions {
  int64_t in = 0;
  int64_t out = 0;
  Activation activation = Activation::kSilu;
  std::optional<Activation> post_activation = {};
  std::optional<int64_t> condition = {};  // width of an extra input: LCM's guidance embedding
};

class TimestepMlp {
 public:
  TimestepMlp(const WeightScope& weights, const TimestepMlpOptions& options);

  // `condition` may be undefined; then cond_proj is left out.
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& condition = {}) const;  // [B, out]

 private:
  TimestepMlpOptions options_;
  Linear linear_1_;
  Linear linear_2_;
  std::optional<Linear> cond_proj_;
};

}  // namespace phasor::engine
