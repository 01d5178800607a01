#include "engine/layers/conv2d.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <array>
#include <optional>
#include <string_view>

namespace phasor::engine {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using OptionalText = std::optional<std::string_view>;

// LibTorch's fused convolutions (aten/src/ATen/native/mkldnn/Conv.cpp), which its own compiler
// calls; they take packed weights and have no C++ declaration.
at::Tensor PackedConvolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             const Conv2dOptions& options) {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&,
                               const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
                               at::IntArrayRef, int64_t, std::string_view, Scalars, OptionalText);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
                             .typed<Signature>();
  const std::array<int64_t, 2> padding = {options.padding, options.padding};
  const std::array<int64_t, 2> stride = {options.stride, options.stride};
  return op.call(x, weight, bias, padding, stride, {1, 1}, 1, "none", Scalars(), "");
}

at::Tensor PackedConvolutionPlus(const at::Tensor& x, const at::Tensor& sum,
                                 const at::Tensor& weight, const at::Tensor& bias,
                                 const Conv2dOptions& options) {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                               const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
                               at::IntArrayRef, int64_t, std::string_view,
                               std::optional<at::Scalar>, OptionalText, Scalars, OptionalText);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mkldnn::_convolution_pointwise", "binary")
                             .typed<Signature>();
  const std::array<int64_t, 2> padding = {options.padding, options.padding};
  const std::array<int64_t, 2> stride = {options.stride, options.stride};
  return op.call(x, sum, weight, bias, padding, stride, {1, 1}, 1, "add", std::nullopt,
                 std::nullopt, Scalars(), std::nullopt);
}

// The fused sum has no form for maps of one pixel: such a tensor is contiguous in either order, and
// oneDNN is then told strides that it refuses.
bool TakesSum(const at::Tensor& sum) { return sum.size(2) * sum.size(3) > 1; }

}  // namespace

Conv2d::Conv2d(const WeightScope& weights, const Conv2dOptions& options)
    : options_(options),
      weight_(weights.Get("weight", {options.out, options.in, options.kernel, options.kernel},
                          WeightUse::kConvolution)),
      bias_(weights.Get("bias", {options.out})) {}

at::Tensor Conv2d::ForwardShifted(const at::Tensor& x, const at::Tensor& shift) const {
  return Run(x, *bias_ + shift, {});
}

at::Tensor Conv2d::Run(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& sum) const {
  const at::Tensor& weight = weight_.ForConvolution(
      {.input = x.sizes(), .stride = options_.stride, .padding = options_.padding});
  const at::Tensor input = x.contiguous(weight_.layout());
  if (weight.is_mkldnn() && sum.defined() && TakesSum(sum)) {
    return PackedConvolutionPlus(input, sum, weight, bias, options_);
  }
  const at::Tensor out = weight.is_mkldnn()
                             ? PackedConvolution(input, weight, bias, options_)
                             : at::conv2d(input, weight, bias, options_.stride, options_.padding);
  return sum.defined() ? out + sum : out;
}

}  // namespace phasor::engine
