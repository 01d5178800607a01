#include "engine/runtime/unit_costs.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(UnitCostsTest, KnowsNothingBeforeTheFirstMeasurement) {
  EXPECT_EQ(UnitCosts().Predict(PictureSpec{}, UnitKind::kStep), 0);
}

TEST(UnitCostsTest, ScalesStepsButNotDecodingsWithTheImages) {
  UnitCosts costs;
  PictureSpec spec;
  costs.Add(spec, UnitKind::kStep, 2);
  costs.Add(spec, UnitKind::kDecode, 3);
  spec.images = 4;
  EXPECT_DOUBLE_EQ(costs.Predict(spec, UnitKind::kStep), 8);
  EXPECT_DOUBLE_EQ(costs.Predict(spec, UnitKind::kDecode), 3);
}

TEST(UnitCostsTest, FollowsTheNewestMeasurements) {
  UnitCosts costs;
  const PictureSpec spec;
  costs.Add(spec, UnitKind::kStep, 10);
  for (int i = 0; i < 20; ++i) costs.Add(spec, UnitKind::kStep, 1);
  EXPECT_NEAR(costs.Predict(spec, UnitKind::kStep), 1, 0.1);
}

TEST(UnitCostsTest, KeepsShapesAndGuidanceApart) {
  UnitCosts costs;
  PictureSpec spec;
  costs.Add(spec, UnitKind::kStep, 2);
  spec.guidance_scale = 1;
  EXPECT_EQ(costs.Predict(spec, UnitKind::kStep), 0);
  spec = PictureSpec{};
  spec.width = 256;
  EXPECT_EQ(costs.Predict(spec, UnitKind::kStep), 0);
}

}  // namespace
}  // namespace phasor::engine
