#include "engine/layers/activation.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string_view>
#include <utility>

namespace phasor::engine {
namespace {

using Row = std::pair<std::string_view, Activation>;

template <size_t N>
std::optional<Activation> Find(const std::array<Row, N>& rows, const std::string& name) {
  for (const auto& [known, activation] : rows) {
    if (known == name) return activation;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Activation> ParseDiffusersActivation(const std::string& name) {
  static constexpr std::array<Row, 5> kRows = {{{"swish", Activation::kSilu},
                                                {"silu", Activation::kSilu},
                                                {"mish", Activation::kMish},
                                                {"gelu", Activation::kGelu},
                                                {"relu", Activation::kRelu}}};
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return Find(kRows, lower);
}

std::optional<Activation> ParseTransformersActivation(const std::string& name) {
  static constexpr std::array<Row, 7> kRows = {{{"quick_gelu", Activation::kQuickGelu},
                                                {"gelu", Activation::kGelu},
                                                {"gelu_new", Activation::kGeluNew},
                                                {"gelu_pytorch_tanh", Activation::kGeluTanh},
                                                {"silu", Activation::kSilu},
                                                {"swish", Activation::kSilu},
                                                {"relu", Activation::kRelu}}};
  return Find(kRows, name);
}

at::Tensor Activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kSilu:
      return at::silu(x);
    case Activation::kMish:
      return at::mish(x);
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kGeluNew:
      return 0.5 * x * (1.0 + at::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * at::pow(x, 3.0))));
    case Activation::kQuickGelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::kRelu:
      return at::relu(x);
  }
  return x;
}

}  // namespace phasor::engine
