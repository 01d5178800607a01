#include "services/render/render_request.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace phasor::render {
namespace {

config::ModelCard Card() {
  config::ModelCard card;
  card.name = "demo";
  card.defaults.width = 128;
  card.defaults.height = 64;
  card.defaults.steps = 20;
  card.defaults.guidance_scale = 4;
  card.defaults.scheduler = "dpmpp_2m";
  return card;
}

// "steps", "3" and so on.
RenderOptions Options(const std::vector<std::pair<const char*, std::string>>& given) {
  RenderOptions options;
  for (const auto& [name, text] : given) {
    EXPECT_TRUE(options.asked.Read(name, text).ok()) << name;
  }
  return options;
}

TEST(RenderRequestTest, FillsInTheCardsDefaults) {
  const RenderOptions options = Options({{"prompt", "a cat"}, {"seed", "7"}});
  const auto spec = MakePictureSpec(options, Card());
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
  const RenderOptions options = Options({{"width", "72"},
                                         {"height", "80"},
                                         {"steps", "3"},
                                         {"guidance_scale", "1"},
                                         {"scheduler", ""}});
  const auto spec = MakePictureSpec(options, Card());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->width, 72);
  EXPECT_EQ(spec->height, 80);
  EXPECT_EQ(spec->steps, 3);
  EXPECT_EQ(spec->guidance_scale, 1);
  EXPECT_EQ(spec->scheduler, "") << "the model's own";
}

TEST(RenderRequestTest, NamesEveryWrongField) {
  const RenderOptions options = Options({{"prompt", std::string(1 << 20, 'a')},
                                         {"width", "7"},
                                         {"steps", "0"},
                                         {"guidance_scale", "-1"}});
  const Status status = MakePictureSpec(options, Card()).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  for (const char* field : {"prompt: ", "width: ", "steps: ", "guidance_scale: "}) {
    EXPECT_NE(Message(status).find(field), std::string::npos) << field;
  }
}

}  // namespace
}  // namespace phasor::render
