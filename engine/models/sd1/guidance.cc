#include "engine/models/sd1/guidance.h"

#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>

namespace phasor::engine {

at::Tensor Guide(const at::Tensor& negative, const at::Tensor& positive, double scale) {
  return negative + scale * (positive - negative);
}

namespace {

// The standard deviation (unbiased) of every image, [B, 1, 1, 1]: fp32 inputs, summed in double in
// one order, where LibTorch's order depends on the processor. A card sums in its own.
at::Tensor Deviations(const at::Tensor& x) {
  if (!x.is_cpu()) {
    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor apart = wide - wide.mean({1, 2, 3}, /*keepdim=*/true);
    const auto degrees = static_cast<double>(x.numel() / x.size(0) - 1);
    return at::sqrt(apart.square().sum({1, 2, 3}, /*keepdim=*/true) / degrees).to(at::kFloat);
  }
  const at::Tensor plain = x.contiguous();
  const int64_t count = plain.numel() / plain.size(0);
  at::Tensor deviations = at::empty({plain.size(0), 1, 1, 1}, at::kFloat);
  const float* values = plain.const_data_ptr<float>();
  for (int64_t image = 0; image < plain.size(0); ++image, values += count) {
    const double mean = std::accumulate(values, values + count, 0.0) / static_cast<double>(count);
    double squares = 0;
    for (int64_t i = 0; i < count; ++i) squares += (values[i] - mean) * (values[i] - mean);
    const double variance = squares / static_cast<double>(count - 1);
    deviations[image].fill_(static_cast<float>(std::sqrt(variance)));
  }
  return deviations;
}

}  // namespace

at::Tensor RescaleGuided(const at::Tensor& guided, const at::Tensor& positive, double phi) {
  const at::Tensor wanted = Deviations(positive);
  const at::Tensor had = Deviations(guided);
  const at::Tensor rescaled = guided * (wanted / had);
  return phi * rescaled + (1 - phi) * guided;
}

}  // namespace phasor::engine
