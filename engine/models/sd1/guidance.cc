#include "engine/models/sd1/guidance.h"

#include <ATen/TensorOperators.h>

namespace phasor::engine {

at::Tensor Guide(const at::Tensor& negative, const at::Tensor& positive, double scale) {
  return negative + scale * (positive - negative);
}

at::Tensor RescaleGuided(const at::Tensor& guided, const at::Tensor& positive, double phi) {
  constexpr bool kUnbiased = true, kKeepDim = true;
  const at::Tensor wanted = positive.std({1, 2, 3}, kUnbiased, kKeepDim);  // [B, 1, 1, 1]
  const at::Tensor had = guided.std({1, 2, 3}, kUnbiased, kKeepDim);
  const at::Tensor rescaled = guided * (wanted / had);
  return phi * rescaled + (1 - phi) * guided;
}

}  // namespace phasor::engine
