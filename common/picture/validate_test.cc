#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/picture/asked.h"

namespace phasor::picture {
namespace {

PictureSpec GoodSpec() {
  PictureSpec spec;
  spec.prompt = "a red circle";
  spec.steps = 20;
  return spec;
}

TEST(ValidateTest, TheFixedDefaultsAreValid) {
  EXPECT_TRUE(Validate(PictureSpec{}, Limits{}).empty());
  EXPECT_TRUE(Validate(GoodSpec(), Limits{}).empty());
}

TEST(ValidateTest, EachWrongFieldIsNamedWithItsLimit) {
  struct Case {
    std::string field;
    std::function<void(PictureSpec&)> spoil;
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
      {"steps", [](auto& s) { s.steps = INT32_MIN; }, "got -2147483648"},
      {"guidance_scale", [](auto& s) { s.guidance_scale = std::nan(""); }, "got nan"},
      {"guidance_scale",
       [](auto& s) { s.guidance_scale = std::numeric_limits<double>::infinity(); }, "got inf"},
      {"guidance_scale", [](auto& s) { s.guidance_scale = -1; }, "got -1"},
      {"guidance_scale", [](auto& s) { s.guidance_scale = 1e300; }, "got 1e+300"},
      {"guidance_rescale", [](auto& s) { s.guidance_rescale = 1.5; }, "between 0 and 1, got 1.5"},
      {"eta", [](auto& s) { s.eta = 2; }, "between 0 and 1"},
      {"clip_skip", [](auto& s) { s.clip_skip = 5; }, "between 0 and 4"},
      {"images", [](auto& s) { s.images = 9; }, "between 1 and 8"},
      {"strength", [](auto& s) { s.strength = -0.5; }, "between 0 and 1, got -0.5"},
      {"init_image", [](auto& s) { s.init_image.sha256 = "ab"; }, "a place in the store"},
      {"loras", [](auto& s) { s.loras.resize(9); }, "has 9 items; the limit is 8"},
      {"loras[1].weight",
       [](auto& s) {
         s.loras = {{"a", 1}, {"b", 5}};
       },
       "between -4 and 4"},
      {"controls[0].name",
       [](auto& s) {
         s.controls = {{"\xff", {}, 1, 0, 1}};
       },
       "UTF-8"},
      {"controls[0].image",
       [](auto& s) {
         s.controls = {{"a", {"", "blob"}, 1, 0, 1}};
       },
       "a digest"},
  };
  for (const Case& c : cases) {
    PictureSpec spec = GoodSpec();
    c.spoil(spec);
    const auto violations = Validate(spec, Limits{});
    ASSERT_EQ(violations.size(), 1u) << c.field;
    EXPECT_EQ(violations[0].field, c.field);
    EXPECT_NE(violations[0].description.find(c.says), std::string::npos)
        << violations[0].description;
  }
}

TEST(ValidateTest, SevenPixelsBreakTwoRules) {
  PictureSpec spec = GoodSpec();
  spec.width = 7;
  EXPECT_EQ(Validate(spec, Limits{}).size(), 2u);
}

TEST(ValidateTest, TheCardsLimitsCount) {
  PictureSpec spec = GoodSpec();
  Limits limits;
  limits.max_steps = 19;
  EXPECT_EQ(Validate(spec, limits).at(0).description, "must be between 1 and 19, got 20");
}

}  // namespace
}  // namespace phasor::picture
