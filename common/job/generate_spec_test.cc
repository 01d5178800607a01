#include "common/job/generate_spec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace phasor::job {
namespace {

GenerateSpec GoodSpec() {
  GenerateSpec spec;
  spec.model = "demo";
  spec.prompt = "a red circle";
  spec.width = spec.height = 512;
  spec.steps = 20;
  spec.guidance_scale = 7.5;
  return spec;
}

TEST(ValidateTest, AGoodSpecHasNoViolation) {
  EXPECT_TRUE(Validate(GoodSpec(), config::ModelCard{}).empty());
}

TEST(ValidateTest, EachWrongFieldIsNamedWithItsLimit) {
  struct Case {
    std::string field;
    std::function<void(GenerateSpec&)> spoil;
    std::string says;
  };
  const std::vector<Case> cases = {
      {"prompt", [](auto& s) { s.prompt.assign(8193, 'x'); }, "limit is 8192"},
      {"prompt", [](auto& s) { s.prompt = "\xff"; }, "UTF-8"},
      {"negative_prompt", [](auto& s) { s.negative_prompt = std::string("a\0b", 3); }, "NUL"},
      {"width", [](auto& s) { s.width = 100; }, "multiple of 8, got 100"},
      {"width", [](auto& s) { s.width = 1032; }, "between 64 and 1024, got 1032"},
      {"height", [](auto& s) { s.height = 0; }, "between 64 and 1024"},
      {"height", [](auto& s) { s.height = -8; }, "got -8"},
      {"steps", [](auto& s) { s.steps = 0; }, "between 1 and 150, got 0"},
      {"steps", [](auto& s) { s.steps = 100000; }, "got 100000"},
      {"guidance_scale", [](auto& s) { s.guidance_scale = std::nan(""); }, "got nan"},
      {"guidance_scale",
       [](auto& s) { s.guidance_scale = std::numeric_limits<double>::infinity(); }, "got inf"},
      {"guidance_scale", [](auto& s) { s.guidance_scale = -1; }, "got -1"},
      {"guidance_rescale", [](auto& s) { s.guidance_rescale = 1.5; }, "between 0 and 1"},
      {"eta", [](auto& s) { s.eta = 2; }, "between 0 and 1"},
      {"clip_skip", [](auto& s) { s.clip_skip = 5; }, "between 0 and 4"},
      {"images", [](auto& s) { s.images = 9; }, "between 1 and 8"},
      {"preview_every", [](auto& s) { s.preview_every = -1; }, "got -1"},
  };
  for (const Case& c : cases) {
    GenerateSpec spec = GoodSpec();
    c.spoil(spec);
    const auto violations = Validate(spec, config::ModelCard{});
    ASSERT_EQ(violations.size(), 1u) << c.field;
    EXPECT_EQ(violations[0].field, c.field);
    EXPECT_NE(violations[0].description.find(c.says), std::string::npos)
        << violations[0].description;
  }
}

TEST(ValidateTest, SevenPixelsBreakTwoRules) {
  GenerateSpec spec = GoodSpec();
  spec.width = 7;
  EXPECT_EQ(Validate(spec, config::ModelCard{}).size(), 2u);
}

TEST(CostTest, GrowsWithStepsPixelsImagesAndGuidance) {
  GenerateSpec spec = GoodSpec();
  spec.steps = 100;
  spec.width = spec.height = 1000;
  EXPECT_EQ(Cost(spec), 200);
  spec.guidance_scale = 1;
  EXPECT_EQ(Cost(spec), 100);
  spec.images = 3;
  EXPECT_EQ(Cost(spec), 300);
  spec.width = spec.height = 8;
  EXPECT_EQ(Cost(spec), 1);
}

}  // namespace
}  // namespace phasor::job
