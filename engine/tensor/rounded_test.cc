#include "engine/tensor/rounded.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>

namespace phasor::engine {
namespace {

using Function = at::Tensor (*)(const at::Tensor&);

// Within a unit in the last place of LibTorch's own, whichever kernel that has picked here.
TEST(RoundedTest, IsAUnitInTheLastPlaceFromLibTorchAtMost) {
  const at::Tensor x = at::arange(1, 2000, at::kFloat) / 97;
  const struct {
    Function ours;
    at::Tensor theirs;
  } cases[] = {{rounded::Sqrt, at::sqrt(x)},
               {rounded::Exp, at::exp(x)},
               {rounded::Log, at::log(x)},
               {rounded::Sin, at::sin(x)},
               {rounded::Cos, at::cos(x)}};
  for (const auto& [ours, theirs] : cases) {
    const at::Tensor difference = (ours(x) - theirs).abs();
    const at::Tensor unit = theirs.abs() * std::ldexp(1.0, -23) + 1e-10;
    EXPECT_LE((difference / unit).max().item<double>(), 1.01);
  }
}

// Values whose neighbours some vector functions give; no library is asked.
TEST(RoundedTest, GivesTheNearestValue) {
  EXPECT_EQ(rounded::Sqrt(at::full({1}, 2.0f)).item<float>(), 0x1.6a09e6p+0f);
  EXPECT_EQ(rounded::Sqrt(at::full({1}, 0.1f)).item<float>(), 0x1.43d136p-2f);
  EXPECT_EQ(rounded::Exp(at::full({1}, 1.0f)).item<float>(), 0x1.5bf0a8p+1f);
  EXPECT_EQ(rounded::Log(at::full({1}, 10.0f)).item<float>(), 0x1.26bb1cp+1f);
  EXPECT_TRUE(std::isnan(rounded::Sqrt(at::full({1}, -1.0f)).item<float>()));
}

TEST(RoundedTest, ARangeHasItsEndsAndIsEven) {
  const at::Tensor range = rounded::Linspace(0.25, 4.25, 5);
  EXPECT_TRUE(range.equal(at::arange(5, at::kFloat) + 0.25));
  const at::Tensor betas = rounded::Linspace(0.0001, 0.02, 1000);
  EXPECT_LE((betas - at::linspace(0.0001, 0.02, 1000, at::kFloat)).abs().max().item<double>(),
            2e-9);
  EXPECT_EQ(betas[0].item<float>(), 0.0001f);
  EXPECT_EQ(betas[-1].item<float>(), 0.02f);
}

TEST(RoundedTest, TakesScalarsAndStridedTensorsAndNoOtherType) {
  EXPECT_EQ(rounded::Sqrt(at::scalar_tensor(9.0, at::kFloat)).dim(), 0);
  const at::Tensor strided = at::arange(6, at::kFloat).view({2, 3}).t();
  EXPECT_TRUE(rounded::Sqrt(strided * strided).equal(strided));
  EXPECT_THROW(rounded::Sqrt(at::zeros({1}, at::kDouble)), c10::Error);
}

}  // namespace
}  // namespace phasor::engine
