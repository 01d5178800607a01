#include "engine/api/check_spec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace phasor::engine {
namespace {

ModelInfo Model() {
  ModelInfo info;
  info.schedulers = {"DDIMScheduler", "DPMSolverMultistepScheduler"};
  return info;
}

TEST(CheckSpecTest, AcceptsTheDefaultsAndEveryNameOfAScheduler) {
  EXPECT_TRUE(CheckSpec(PictureSpec{}, Model()).ok());
  for (const char* name : {"", "ddim", "DDIMScheduler", "dpmpp_2m_karras"}) {
    PictureSpec spec;
    spec.scheduler = name;
    EXPECT_TRUE(CheckSpec(spec, Model()).ok()) << name;
  }
}

TEST(CheckSpecTest, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* field;
    std::function<void(PictureSpec*)> change;
  };
  const Case cases[] = {
      {"width", [](PictureSpec* s) { s->width = 7; }},
      {"width", [](PictureSpec* s) { s->width = 12; }},
      {"width", [](PictureSpec* s) { s->width = -8; }},
      {"height", [](PictureSpec* s) { s->height = 1 << 30; }},
      {"steps", [](PictureSpec* s) { s->steps = 0; }},
      {"steps", [](PictureSpec* s) { s->steps = 100000; }},
      {"guidance_scale", [](PictureSpec* s) { s->guidance_scale = std::nan(""); }},
      {"guidance_scale", [](PictureSpec* s) { s->guidance_scale = -1; }},
      {"guidance_rescale", [](PictureSpec* s) { s->guidance_rescale = 1.5; }},
      {"eta", [](PictureSpec* s) { s->eta = INFINITY; }},
      {"clip_skip", [](PictureSpec* s) { s->clip_skip = -1; }},
      {"images", [](PictureSpec* s) { s->images = 0; }},
      {"scheduler", [](PictureSpec* s) { s->scheduler = "magic"; }},
      {"scheduler", [](PictureSpec* s) { s->scheduler = "euler"; }},
  };
  for (const Case& test : cases) {
    PictureSpec spec;
    test.change(&spec);
    const Status status = CheckSpec(spec, Model());
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << test.field;
    EXPECT_EQ(Message(status).rfind(test.field, 0), 0u) << status;
  }
}

}  // namespace
}  // namespace phasor::engine
