#include "services/render/render_request.h"

#include <gtest/gtest.h>

#include <cmath>

namespace phasor::render {
namespace {

config::ModelCard Card() {
  config::ModelCard card;
  card.name = "demo";
  card.defaults = {
      .width = 128, .height = 64, .steps = 20, .guidance_scale = 4, .scheduler = "dpmpp_2m"};
  return card;
}

TEST(RenderRequestTest, FillsInTheCardsDefaults) {
  RenderOptions options;
  options.prompt = "a cat";
  options.seed = 7;
  const auto spec = MakeRunSpec(options, Card());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->prompt, "a cat");
  EXPECT_EQ(spec->width, 128);
  EXPECT_EQ(spec->height, 64);
  EXPECT_EQ(spec->steps, 20);
  EXPECT_EQ(spec->guidance_scale, 4);
  EXPECT_EQ(spec->scheduler, "dpmpp_2m");
  EXPECT_EQ(spec->seed, 7u);
}

TEST(RenderRequestTest, PrefersWhatWasAskedFor) {
  RenderOptions options;
  options.width = 72;
  options.height = 80;
  options.steps = 3;
  options.guidance_scale = 1;
  options.scheduler = "";
  const auto spec = MakeRunSpec(options, Card());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->width, 72);
  EXPECT_EQ(spec->height, 80);
  EXPECT_EQ(spec->steps, 3);
  EXPECT_EQ(spec->guidance_scale, 1);
  EXPECT_EQ(spec->scheduler, "") << "the model's own";
}

TEST(RenderRequestTest, NamesEveryWrongField) {
  RenderOptions options;
  options.prompt = std::string(1 << 20, 'a');
  options.width = 7;
  options.steps = 0;
  options.guidance_scale = std::nan("");
  const Status status = MakeRunSpec(options, Card()).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  for (const char* field : {"prompt: ", "width: ", "steps: ", "guidance_scale: "}) {
    EXPECT_NE(Message(status).find(field), std::string::npos) << field;
  }
}

}  // namespace
}  // namespace phasor::render
