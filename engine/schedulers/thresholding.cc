#include "engine/schedulers/thresholding.h"

#include <ATen/TensorOperators.h>

namespace phasor::engine {

ThresholdConfig ReadThresholdConfig(SchedulerKeys& keys) {
  ThresholdConfig config;
  config.enabled = keys.Flag("thresholding", false);
  config.ratio = keys.Number("dynamic_thresholding_ratio", 0.995, {0.0, 1.0});
  config.max_value = keys.Number("sample_max_value", 1.0, {1e-6, 1e6});
  return config;
}

at::Tensor Threshold(const ThresholdConfig& config, const at::Tensor& sample) {
  const bool wide = sample.scalar_type() == at::kFloat || sample.scalar_type() == at::kDouble;
  const at::Tensor flat =
      (wide ? sample : sample.to(at::kFloat)).reshape({sample.size(0), -1});  // [B, N]
  const at::Tensor bound = at::quantile(flat.abs(), config.ratio, /*dim=*/1)
                               .clamp(1, config.max_value)
                               .unsqueeze(1);  // [B, 1]
  return (at::clamp(flat, -bound, bound) / bound).reshape(sample.sizes()).to(sample.scalar_type());
}

}  // namespace phasor::engine
