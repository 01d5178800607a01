// Dynamic thresholding of the predicted clean sample (Saharia et al. 2022, arXiv:2205.11487,
// section 2.3), as diffusers' _threshold_sample. Per sample of the batch. Pure functions.
#pragma once

#include "engine/schedulers/scheduler_keys.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

struct ThresholdConfig {
  bool enabled = false;
  double ratio = 0.995;
  double max_value = 1.0;
};

// Reads thresholding, dynamic_thresholding_ratio and sample_max_value.
ThresholdConfig ReadThresholdConfig(SchedulerKeys& keys);

// `sample` [B, ...] scaled into [-1, 1] by its own quantile; its dtype is kept.
at::Tensor Threshold(const ThresholdConfig& config, const at::Tensor& sample);

}  // namespace phasor::engine
