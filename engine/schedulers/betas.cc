#include "engine/schedulers/betas.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>

#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

constexpr int64_t kMaxTrainSteps = 100000;
constexpr double kMaxCosineBeta = 0.999;
constexpr NumberRange kBetaRange = {1e-12, 0.9999};

// Nichol and Dhariwal 2021, arXiv:2102.09672, equation 17.
at::Tensor CosineBetas(int64_t count) {
  const auto alpha_bar = [](double t) {
    const double cosine = std::cos((t + 0.008) / 1.008 * M_PI / 2);
    return std::pow(cosine, 2);
  };
  const double total = static_cast<double>(count);
  std::vector<float> betas(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i);
    const double beta = 1 - alpha_bar((t + 1) / total) / alpha_bar(t / total);
    betas[static_cast<size_t>(i)] = static_cast<float>(std::min(beta, kMaxCosineBeta));
  }
  return at::tensor(betas);
}

at::Tensor TrainedBetas(const std::vector<double>& betas) {
  return at::tensor(at::ArrayRef<double>(betas)).to(at::kFloat);
}

at::Tensor Betas(const BetaConfig& config) {
  if (!config.trained.empty()) return TrainedBetas(config.trained);
  if (config.schedule == "squaredcos_cap_v2") return CosineBetas(config.train_steps);
  if (config.schedule == "scaled_linear") {
    return rounded::Linspace(std::pow(config.start, 0.5), std::pow(config.end, 0.5),
                             config.train_steps)
        .pow(2);
  }
  return rounded::Linspace(config.start, config.end, config.train_steps);
}

at::Tensor RescaleToZeroSnr(const at::Tensor& betas) {
  at::Tensor root = rounded::Sqrt(at::cumprod(1.0 - betas, 0));
  const at::Tensor first = root[0].clone();
  const at::Tensor last = root[-1].clone();
  root = (root - last) * (first / (first - last));
  const at::Tensor products = root.pow(2);
  const at::Tensor alphas = products.slice(0, 1) / products.slice(0, 0, -1);
  return 1 - at::cat({products.slice(0, 0, 1), alphas});
}

}  // namespace

BetaConfig ReadBetaConfig(SchedulerKeys& keys, bool has_zero_snr_key) {
  BetaConfig config;
  config.train_steps = keys.Integer("num_train_timesteps", 1000, {2, kMaxTrainSteps});
  config.start = keys.Number("beta_start", 0.0001, kBetaRange);
  config.end = keys.Number("beta_end", 0.02, kBetaRange);
  config.schedule =
      keys.Choice("beta_schedule", "linear", {"linear", "scaled_linear", "squaredcos_cap_v2"});
  config.trained =
      keys.Numbers("trained_betas", static_cast<size_t>(config.train_steps), kBetaRange);
  if (has_zero_snr_key) config.zero_snr = keys.Flag("rescale_betas_zero_snr", false);
  return config;
}

at::Tensor AlphasCumprod(const BetaConfig& config, bool clamp_last) {
  at::Tensor betas = Betas(config);
  if (config.zero_snr) betas = RescaleToZeroSnr(betas);
  at::Tensor products = at::cumprod(1.0 - betas, 0);
  if (config.zero_snr && clamp_last) products[-1].fill_(std::ldexp(1.0, -24));
  return products;
}

}  // namespace phasor::engine
