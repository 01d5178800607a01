// The activations that configs name. Pure functions of tensors.
//
// quick_gelu and gelu_new are separate tensor operations, as in transformers: in half precision
// every intermediate is rounded there. The others are LibTorch's fused kernels.
#pragma once

#include <optional>
#include <string>

#include "engine/tensor/torch.h"

namespace phasor::engine {

enum class Activation { kSilu, kMish, kGelu, kGeluTanh, kGeluNew, kQuickGelu, kRelu };

// diffusers' names (activations.py), case-insensitive: swish, silu, mish, gelu, relu.
std::optional<Activation> ParseDiffusersActivation(const std::string& name);
// transformers' names (activations.py): quick_gelu, gelu, gelu_new, gelu_pytorch_tanh, silu, relu.
std::optional<Activation> ParseTransformersActivation(const std::string& name);

at::Tensor Activate(Activation activation, const at::Tensor& x);

}  // namespace phasor::engine
