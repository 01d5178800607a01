#include "engine/schedulers/sigma_step.h"

#include <ATen/TensorOperators.h>

#include "engine/tensor/rounded.h"

namespace phasor::engine {

double InitialSigma(const at::Tensor& sigmas, const std::string& spacing) {
  TORCH_CHECK(sigmas.defined(), "init_noise_sigma is known after SetTimesteps");
  const at::Tensor largest = sigmas.max();
  return (spacing == "leading" ? rounded::Sqrt(largest.pow(2) + 1) : largest).item<float>();
}

at::Tensor ScaleBySigma(const at::Tensor& sample, const at::Tensor& sigma) {
  return sample / rounded::Sqrt(sigma.pow(2) + 1);
}

at::Tensor CleanSample(const std::string& prediction_type, const at::Tensor& output,
                       const at::Tensor& sample, const at::Tensor& sigma) {
  if (prediction_type == "epsilon") return sample - sigma * output;
  if (prediction_type == "v_prediction") {
    return output * (-sigma / rounded::Sqrt(sigma.pow(2) + 1)) + sample / (sigma.pow(2) + 1);
  }
  return output;
}

}  // namespace phasor::engine
