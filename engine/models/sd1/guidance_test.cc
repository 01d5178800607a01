#include "engine/models/sd1/guidance.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

namespace phasor::engine {
namespace {

TEST(GuidanceTest, GoesFromTheNegativePastThePositive) {
  const at::Tensor negative = at::full({1, 4, 2, 2}, 1.0f);
  const at::Tensor positive = at::full({1, 4, 2, 2}, 3.0f);
  EXPECT_TRUE(Guide(negative, positive, 1).equal(positive));
  EXPECT_TRUE(Guide(negative, positive, 4).equal(at::full({1, 4, 2, 2}, 9.0f)));
}

TEST(GuidanceTest, RescalingGivesThePositivesDeviationAtPhiOne) {
  const at::Tensor positive = at::arange(32, at::kFloat).view({2, 4, 2, 2});
  const at::Tensor guided = positive.mul(3).add(1);
  const at::Tensor full = RescaleGuided(guided, positive, 1);
  for (int b = 0; b < 2; ++b) {
    EXPECT_NEAR(full[b].std().item<float>(), positive[b].std().item<float>(), 1e-4);
  }
  EXPECT_TRUE(RescaleGuided(guided, positive, 0).equal(guided));
  const at::Tensor half = RescaleGuided(guided, positive, 0.5);
  EXPECT_TRUE(half.allclose((full + guided) / 2));
}

}  // namespace
}  // namespace phasor::engine
