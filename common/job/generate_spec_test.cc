#include "common/job/generate_spec.h"

#include <gtest/gtest.h>

namespace phasor::job {
namespace {

GenerateSpec GoodSpec() {
  GenerateSpec spec;
  spec.model = "demo";
  spec.picture.prompt = "a red circle";
  spec.picture.width = spec.picture.height = 512;
  spec.picture.steps = 20;
  spec.picture.guidance_scale = 7.5;
  return spec;
}

TEST(ValidateTest, AGoodSpecHasNoViolation) {
  EXPECT_TRUE(Validate(GoodSpec(), config::ModelCard{}).empty());
}

TEST(ValidateTest, LooksAtThePictureAndAtWhatIsBesideIt) {
  GenerateSpec spec = GoodSpec();
  spec.picture.width = 100;
  spec.preview_every = -1;
  const auto violations = Validate(spec, config::ModelCard{});
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "width");
  EXPECT_EQ(violations[1].field, "preview_every");
  EXPECT_EQ(violations[1].description, "must be between 0 and 150, got -1");
}

TEST(CostTest, GrowsWithStepsPixelsImagesAndGuidance) {
  GenerateSpec spec = GoodSpec();
  spec.picture.steps = 100;
  spec.picture.width = spec.picture.height = 1000;
  EXPECT_EQ(Cost(spec.picture), 200);
  spec.picture.guidance_scale = 1;
  EXPECT_EQ(Cost(spec.picture), 100);
  spec.picture.images = 3;
  EXPECT_EQ(Cost(spec.picture), 300);
  spec.picture.width = spec.picture.height = 8;
  EXPECT_EQ(Cost(spec.picture), 1);
}

}  // namespace
}  // namespace phasor::job
