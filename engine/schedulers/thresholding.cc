#include "engine/schedulers/thresholding.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <ATen/TensorOperators.h>

namespace phasor::engine {

ThresholdConfig ReadThresholdConfig(SchedulerKeys& keys) {
  ThresholdConfig config;
  config.enabled = keys.Flag("thresholding", false);
  config.ratio = keys.Number("dynamic_thresholding_ratio", 0.995, {0.0, 1.0});
  config.max_value = keys.Number("sample_max_value", 1.0, {1e-6, 1e6});
  return config;
}

namespace {

// at::quantile with linear interpolation, whose multiplication and addition LibTorch fuses on some
// processors only: here on all.
float Quantile(const at::Tensor& row, double ratio) {
  const at::Tensor sorted = std::get<0>(row.sort()).contiguous();  // not-a-numbers come last
  const float* values = sorted.const_data_ptr<float>();
  const int64_t last = sorted.numel() - 1;
  if (std::isnan(values[last])) return values[last];
  const float rank = static_cast<float>(ratio) * static_cast<float>(last);
  const auto below = std::min(static_cast<int64_t>(rank), last);
  const auto above = std::min(below + 1, last);
  const float weight = rank - static_cast<float>(below);
  const float gap = values[above] - values[below];
  return weight < 0.5f ? std::fma(weight, gap, values[below])
                       : std::fma(weight - 1.0f, gap, values[above]);
}

// The same where the values are, [B, 1]: nothing comes back to the host.
at::Tensor QuantilesOnDevice(const at::Tensor& rows, double ratio) {
  const at::Tensor sorted = std::get<0>(rows.sort(1));
  const int64_t last = sorted.size(1) - 1;
  const float rank = static_cast<float>(ratio) * static_cast<float>(last);
  const auto below = std::min(static_cast<int64_t>(rank), last);
  const at::Tensor low = sorted.narrow(1, below, 1);
  const at::Tensor high = sorted.narrow(1, std::min(below + 1, last), 1);
  const at::Tensor between = at::lerp(low, high, rank - static_cast<float>(below));
  const at::Tensor top = sorted.narrow(1, last, 1);
  return at::where(top.ne(top), top, between);  // not-a-numbers come last
}

}  // namespace

at::Tensor Threshold(const ThresholdConfig& config, const at::Tensor& sample) {
  const bool wide = sample.scalar_type() == at::kFloat || sample.scalar_type() == at::kDouble;
  const at::Tensor flat =
      (wide ? sample : sample.to(at::kFloat)).reshape({sample.size(0), -1});  // [B, N]
  at::Tensor bound = at::empty({flat.size(0), 1}, flat.options());
  if (!flat.is_cpu()) {
    bound = QuantilesOnDevice(flat.abs().to(at::kFloat), config.ratio).to(flat.scalar_type());
  }
  for (int64_t row = 0; flat.is_cpu() && row < flat.size(0); ++row) {
    bound[row].fill_(Quantile(flat[row].abs().to(at::kFloat), config.ratio));
  }
  bound = bound.clamp(1, config.max_value);
  return (at::clamp(flat, -bound, bound) / bound).reshape(sample.sizes()).to(sample.scalar_type());
}

}  // namespace phasor::engine
