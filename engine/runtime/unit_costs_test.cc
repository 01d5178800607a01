#include "engine/runtime/unit_costs.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

std::shared_ptr<const Calibration> Nothing() { return std::make_shared<const Calibration>(); }

TEST(UnitCostsTest, KnowsNothingBeforeTheFirstMeasurement) {
  EXPECT_EQ(UnitCosts(Nothing()).Predict(PictureSpec{}, UnitKind::kStep), 0);
}

TEST(UnitCostsTest, ScalesStepsButNotDecodingsWithTheImages) {
  UnitCosts costs(Nothing());
  PictureSpec spec;
  costs.Add(spec, UnitKind::kStep, 2);
  costs.Add(spec, UnitKind::kDecode, 3);
  spec.images = 4;
  EXPECT_DOUBLE_EQ(costs.Predict(spec, UnitKind::kStep), 8);
  EXPECT_DOUBLE_EQ(costs.Predict(spec, UnitKind::kDecode), 3);
}

TEST(UnitCostsTest, FollowsTheNewestMeasurements) {
  UnitCosts costs(Nothing());
  const PictureSpec spec;
  costs.Add(spec, UnitKind::kStep, 10);
  for (int i = 0; i < 20; ++i) costs.Add(spec, UnitKind::kStep, 1);
  EXPECT_NEAR(costs.Predict(spec, UnitKind::kStep), 1, 0.1);
}

TEST(UnitCostsTest, KeepsShapesAndGuidanceApart) {
  UnitCosts costs(Nothing());
  PictureSpec spec;
  costs.Add(spec, UnitKind::kStep, 2);
  spec.guidance_scale = 1;
  EXPECT_EQ(costs.Predict(spec, UnitKind::kStep), 0);
  spec = PictureSpec{};
  spec.width = 256;
  EXPECT_EQ(costs.Predict(spec, UnitKind::kStep), 0);
}

TEST(UnitCostsTest, SaysWhatWasMeasuredOnceUntilUnitsAreDone) {
  const Calibration measured = {{{{UnitKind::kStep, 512, 512, true}, 1, 1, 4}}, 0};
  UnitCosts costs(std::make_shared<const Calibration>(measured));
  PictureSpec spec;
  spec.images = 2;
  EXPECT_DOUBLE_EQ(costs.Predict(spec, UnitKind::kStep), 8);
  costs.Add(spec, UnitKind::kStep, 6);
  EXPECT_DOUBLE_EQ(costs.Predict(spec, UnitKind::kStep), 6);
}

}  // namespace
}  // namespace phasor::engine
