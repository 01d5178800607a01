#include "engine/weights/quantise.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Float8_e4m3fn.h>
#include <gtest/gtest.h>

#include "engine/weights/safetensors.h"

namespace phasor::engine {
namespace {

double RelativeError(const at::Tensor& is, const at::Tensor& should) {
  return ((is - should).norm() / should.norm()).item<double>();
}

at::Tensor RoundTrip(WeightForm form, const at::Tensor& weight) {
  return Dequantise(Quantise(form, weight), weight.sizes(), at::kFloat);
}

at::Tensor Normal(at::IntArrayRef shape) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(1);
  return at::randn(shape, generator);
}

TEST(QuantiseTest, NormalWeightsLoseWhatTheFormatCosts) {
  const c10::InferenceMode guard;
  struct Case {
    WeightForm form;
    double least, most;  // relative error; of the specification
  };
  for (const Case& test :
       {Case{WeightForm::kFp8, 0.0245, 0.0255}, {WeightForm::kNf4, 0.091, 0.093}}) {
    for (const double sigma : {1.0, 0.005}) {
      const at::Tensor weight = Normal({640, 320}) * sigma;
      const double error = RelativeError(RoundTrip(test.form, weight), weight);
      EXPECT_GT(error, test.least) << sigma;
      EXPECT_LT(error, test.most) << sigma;
    }
  }
}

// To the bit: none of it is left to a library's kernels.
TEST(QuantiseTest, AgreesWithBitsandbytesAndWithPyTorchsCast) {
  const c10::InferenceMode guard;
  const auto tensors = LoadTensors(std::string(std::getenv("PHASOR_SOURCE_DIR")) +
                                   "/tests/golden/quantised/golden.safetensors")
                           .value();
  int compared = 0;
  for (const auto& [name, weight] : tensors) {
    if (!name.ends_with(".weight")) continue;
    const std::string stem = name.substr(0, name.rfind('.'));
    for (const auto& [form, suffix] :
         {std::pair{WeightForm::kNf4, ".nf4"}, {WeightForm::kFp8, ".fp8"}}) {
      const Quantised stored = Quantise(form, weight);
      EXPECT_TRUE(stored.codes.equal(tensors.at(stem + suffix))) << stem << suffix;
      EXPECT_TRUE(stored.scales.equal(tensors.at(stem + suffix + ".scale"))) << stem << suffix;
      const at::Tensor values = Dequantise(stored, weight.sizes(), at::kFloat);
      EXPECT_TRUE(values.equal(tensors.at(stem + suffix + ".values"))) << stem << suffix;
      EXPECT_TRUE(DequantiseByOperators(stored, weight.sizes(), at::kFloat).equal(values));
      ++compared;
    }
  }
  EXPECT_EQ(compared, 14);
}

TEST(QuantiseTest, EveryCodeOfFp8IsItself) {
  const c10::InferenceMode guard;
  std::vector<float> values;
  for (int code = 0; code < 256; ++code) {
    const float value =
        c10::Float8_e4m3fn(static_cast<uint8_t>(code), c10::Float8_e4m3fn::from_bits());
    if (std::isfinite(value)) values.push_back(value);
  }
  ASSERT_EQ(values.size(), 254u);
  // A block's greatest is 448, so that its scale is 1.
  at::Tensor blocks = at::full({static_cast<int64_t>(values.size()), kQuantisedBlock}, 448.0f);
  for (size_t i = 0; i < values.size(); ++i) blocks[static_cast<int64_t>(i)][0] = values[i];
  EXPECT_TRUE(RoundTrip(WeightForm::kFp8, blocks).equal(blocks));
}

TEST(QuantiseTest, WhatIsStoredHasTheSizesThatArePlanned) {
  const c10::InferenceMode guard;
  for (const int64_t count : {1, 2, 63, 64, 65, 127, 35, 500}) {
    const at::Tensor weight = at::linspace(-1, 1, count);
    for (const WeightForm form : {WeightForm::kFp8, WeightForm::kNf4}) {
      const Quantised stored = Quantise(form, weight);
      EXPECT_EQ(stored.codes.numel(), QuantisedCodes(form, count));
      EXPECT_EQ(stored.scales.numel(), QuantisedScales(count));
      const at::Tensor back = Dequantise(stored, weight.sizes(), at::kFloat);
      EXPECT_LT((back - weight).abs().max().item<float>(), 0.16f) << count;
      EXPECT_EQ(back[-1].item<float>(), weight[-1].item<float>()) << "a block's greatest is exact";
    }
  }
}

TEST(QuantiseTest, BlocksOfZerosAndOfOneValueAreExact) {
  const c10::InferenceMode guard;
  for (const WeightForm form : {WeightForm::kFp8, WeightForm::kNf4}) {
    for (const float value : {0.0f, 3.0f, -0.25f}) {
      const at::Tensor weight = at::full({3, 50}, value);
      EXPECT_TRUE(RoundTrip(form, weight).equal(weight)) << value;
    }
  }
}

TEST(QuantiseTest, HalfPrecisionIsQuantisedAsItsValuesInFp32) {
  const c10::InferenceMode guard;
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const at::Tensor half = Normal({5, 100}).to(dtype);
    for (const WeightForm form : {WeightForm::kFp8, WeightForm::kNf4}) {
      const Quantised stored = Quantise(form, half);
      const Quantised full = Quantise(form, half.to(at::kFloat));
      EXPECT_TRUE(stored.codes.equal(full.codes));
      EXPECT_TRUE(stored.scales.equal(full.scales));
      const at::Tensor back = Dequantise(stored, half.sizes(), dtype);
      EXPECT_TRUE(back.equal(Dequantise(stored, half.sizes(), at::kFloat).to(dtype)));
    }
  }
}

TEST(QuantiseTest, ValuesThatAreNotFiniteAreRefused) {
  const c10::InferenceMode guard;
  for (const float value : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    at::Tensor weight = at::zeros({2, 70});
    weight[1][3] = value;
    EXPECT_THROW(Quantise(WeightForm::kFp8, weight), std::invalid_argument);
    EXPECT_THROW(Quantise(WeightForm::kNf4, weight), std::invalid_argument);
  }
}

}  // namespace
}  // namespace phasor::engine
