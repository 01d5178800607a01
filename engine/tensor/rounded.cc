#include "engine/tensor/rounded.h"

#include <cmath>

namespace phasor::engine::rounded {
namespace {

template <typename Function>
at::Tensor Map(const at::Tensor& x, Function function) {
  TORCH_CHECK(x.is_cpu() && x.scalar_type() == at::kFloat, "fp32 on the CPU, not ", x.options());
  at::Tensor out = x.clone(at::MemoryFormat::Contiguous);
  float* values = out.data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) {
    values[i] = static_cast<float>(function(static_cast<double>(values[i])));
  }
  return out;
}

}  // namespace

at::Tensor Sqrt(const at::Tensor& x) {
  return Map(x, [](double v) { return std::sqrt(v); });
}

at::Tensor Exp(const at::Tensor& x) {
  return Map(x, [](double v) { return std::exp(v); });
}

at::Tensor Log(const at::Tensor& x) {
  return Map(x, [](double v) { return std::log(v); });
}

at::Tensor Sin(const at::Tensor& x) {
  return Map(x, [](double v) { return std::sin(v); });
}

at::Tensor Cos(const at::Tensor& x) {
  return Map(x, [](double v) { return std::cos(v); });
}

at::Tensor Linspace(double start, double end, int64_t count) {
  TORCH_CHECK(count > 1, "a range of ", count, " values");
  const auto first = static_cast<float>(start);
  const auto last = static_cast<float>(end);
  const float step = (last - first) / static_cast<float>(count - 1);
  at::Tensor out = at::empty({count}, at::kFloat);
  float* values = out.data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    values[i] = i < count / 2 ? std::fma(step, static_cast<float>(i), first)
                              : std::fma(-step, static_cast<float>(count - 1 - i), last);
  }
  return out;
}

}  // namespace phasor::engine::rounded
