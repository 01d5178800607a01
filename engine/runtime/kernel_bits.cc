#include "engine/runtime/kernel_bits.h"

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/TensorOperators.h>

#include "common/base/hash.h"
#include "engine/layers/kernels.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

constexpr size_t kDigits = 16;

// Values in [-1/2, 1/2) that every machine computes alike.
at::Tensor Values(at::IntArrayRef shape) {
  at::Tensor values = at::empty(shape, at::kFloat);
  float* data = values.data_ptr<float>();
  uint32_t state = 1;
  for (int64_t i = 0; i < values.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    data[i] = static_cast<float>(static_cast<int32_t>(state >> 8) - (1 << 23)) * 0x1p-24f;
  }
  return values;
}

std::vector<at::Tensor> Convolutions() {
  const at::Tensor x = Values({2, 64, 12, 10}).contiguous(at::MemoryFormat::ChannelsLast);
  return {at::conv2d(x, Values({96, 64, 3, 3}), Values({96}), 1, 1),
          at::conv2d(x, Values({64, 64, 3, 3}), Values({64}), 2, 1),
          at::conv2d(x, Values({32, 64, 1, 1}), Values({32})),
          at::conv2d(Values({1, 4, 12, 10}), Values({48, 4, 3, 3}), Values({48}), 1, 1)};
}

std::vector<at::Tensor> Products() {
  const at::Tensor heads = Values({2, 4, 77, 24});
  return {at::linear(Values({154, 320}), Values({640, 320}), Values({640})),
          at::linear(Values({2, 1280}), Values({320, 1280}), Values({320})),
          at::matmul(Values({120, 1280}), Values({1280, 64})),
          at::scaled_dot_product_attention(heads, heads, heads),
          at::scaled_dot_product_attention(heads, heads, heads, {}, 0.0, /*is_causal=*/true)};
}

std::vector<at::Tensor> Functions() {
  const at::Tensor x = Values({3, 1037}) * 8;
  const at::Tensor positive = x.abs() + 0.01;
  return {at::exp(x),         at::sin(x),         at::log(positive),         at::sqrt(positive),
          at::silu(x),        at::gelu(x),        at::gelu(x, "tanh"),       at::sigmoid(x),
          at::tanh(x),        at::softmax(x, -1), at::layer_norm(x, {1037}), x.sum(1),
          at::rsqrt(positive)};
}

at::Tensor OwnNorm() {
  const at::Tensor x = Values({2, 70, 48});  // [B, pixels, C]
  const at::Tensor weight = Values({48}), bias = Values({48});
  at::Tensor y = at::empty_like(x);
  GroupNormNhwc(x.const_data_ptr<float>(), y.data_ptr<float>(),
                {.batch = 2, .pixels = 70, .channels = 48, .groups = 16},
                weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), 1e-5, true);
  return y;
}

// What libm gives for doubles, which it has several forms of.
at::Tensor LibmValues() {
  at::Tensor values = at::empty({64, 5}, at::kDouble);
  double* data = values.data_ptr<double>();
  for (int i = 0; i < 64; ++i, data += 5) {
    const double x = 0.173 * (i + 1);
    data[0] = std::exp(x);
    data[1] = std::log(x);
    data[2] = std::pow(x, 1 / 7.0);
    data[3] = std::sin(x);
    data[4] = std::cos(x);
  }
  return values;
}

}  // namespace

std::string KernelBits() {
  std::string digests;
  const auto add = [&](const at::Tensor& tensor) {
    const at::Tensor plain = tensor.contiguous();
    digests += Sha256Hex({static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()});
  };
  for (const auto& part : {Convolutions(), Products(), Functions()}) {
    for (const at::Tensor& tensor : part) add(tensor);
  }
  add(OwnNorm());
  add(LibmValues());
  return Sha256Hex(digests).substr(0, kDigits);
}

}  // namespace phasor::engine
