// Noise schedules in sigma = sqrt((1 - a) / a), a the cumulative product of alphas.
//
// The training table is fp32; interpolation and the respaced schedules are
// double, as numpy computes them, and cast to fp32 once at the end. Sources: diffusers 0.42.1
// scheduling_euler_discrete.py (_convert_to_karras, _convert_to_exponential, _convert_to_beta,
// _sigma_to_t) and scheduling_dpmsolver_multistep.py (_convert_to_lu); Karras et al. 2022,
// arXiv:2206.00364, equation 5; beta: arXiv:2407.12173. Pure functions, immutable table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/schedulers/scheduler_keys.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// sigma and ln(sigma) at every training timestep, ascending, each an fp32 value.
class SigmaTable {
 public:
  explicit SigmaTable(const at::Tensor& alphas_cumprod);

  const std::vector<float>& sigmas() const { return sigmas_; }
  const std::vector<float>& log_sigmas() const { return log_sigmas_; }

  // Sigma at a timestep, linear between whole ones, clamped at both ends.
  double Interpolate(double timestep) const;
  // The fractional timestep of a sigma, linear in ln(sigma).
  double Timestep(double sigma) const;

 private:
  std::vector<float> sigmas_;
  std::vector<float> log_sigmas_;
};

enum class Respacing { kNone, kKarras, kExponential, kBeta };

struct SigmaConfig {
  Respacing respacing = Respacing::kNone;
  std::optional<double> sigma_min;  // replace the ends of a respaced schedule
  std::optional<double> sigma_max;
  bool final_zero = true;  // final_sigmas_type
};

// Reads use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas (at most one), sigma_min,
// sigma_max and final_sigmas_type.
SigmaConfig ReadSigmaConfig(SchedulerKeys& keys);

// `steps` sigmas from `first` down to `last` (or the config's own ends), by config.respacing,
// which is not kNone.
std::vector<double> Respaced(const SigmaConfig& config, double first, double last, int steps);

// Uniform in ln(sigma) between the ends of the table (Lu et al. 2022, arXiv:2206.00927).
std::vector<double> LuSigmas(const SigmaTable& table, int steps);

// The quantile function of the beta distribution with both parameters 0.6.
double BetaQuantile(double probability);

// The finished schedule with its last element, fp32 on the CPU.
at::Tensor FinishedSigmas(const std::vector<double>& sigmas, const at::Tensor& alphas_cumprod,
                          bool final_zero);

}  // namespace phasor::engine
