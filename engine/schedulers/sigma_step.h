// What Euler and Euler ancestral share: samples in the form x = x0 + sigma * noise.
// Sigmas are 0-dim fp32 tensors on the CPU. Pure functions.
#pragma once

#include <string>

#include "engine/tensor/torch.h"

namespace phasor::engine {

// Factor of the initial noise: the largest sigma; for "leading" sqrt(sigma^2 + 1).
double InitialSigma(const at::Tensor& sigmas, const std::string& spacing);

// The denoiser's input: sample / sqrt(sigma^2 + 1).
at::Tensor ScaleBySigma(const at::Tensor& sample, const at::Tensor& sigma);

// x0 from the model's output and the fp32 sample.
at::Tensor CleanSample(const std::string& prediction_type, const at::Tensor& output,
                       const at::Tensor& sample, const at::Tensor& sigma);

}  // namespace phasor::engine
