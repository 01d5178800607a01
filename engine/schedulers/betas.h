// The noise levels a model was trained with: betas and their cumulative products.
//
// All fp32 in the operand order of diffusers 0.42.1 (schedulers/scheduling_*.py, __init__): other
// orders differ in the last bit. The same bits on every processor (engine/tensor/rounded.h).
// Zero-SNR rescaling: Lin et al. 2023, arXiv:2305.08891, algorithm 1. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/schedulers/scheduler_keys.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

struct BetaConfig {
  int64_t train_steps = 1000;
  double start = 0.0001;
  double end = 0.02;
  std::string schedule = "linear";  // linear, scaled_linear, squaredcos_cap_v2
  std::vector<double> trained;      // overrides the schedule; empty or train_steps entries
  bool zero_snr = false;
};

// Reads num_train_timesteps (2..100000), beta_start, beta_end, beta_schedule, trained_betas, and
// rescale_betas_zero_snr if the class has that key. Errors stay in the keys.
BetaConfig ReadBetaConfig(SchedulerKeys& keys, bool has_zero_snr_key);

// Cumulative products of 1 - beta, fp32 [train_steps]. `clamp_last`: after zero-SNR rescaling
// the last one becomes 2^-24, so that its sigma (4096) is finite.
at::Tensor AlphasCumprod(const BetaConfig& config, bool clamp_last);

}  // namespace phasor::engine
