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
  EXPECT_TRUE(CheckSpec(RunSpec{}, Model()).ok());
  for (const char* name : {"", "ddim", "DDIMScheduler", "dpmpp_2m_karras"}) {
    RunSpec spec;
    spec.scheduler = name;
    EXPECT_TRUE(CheckSpec(spec, Model()).ok()) << name;
  }
}

TEST(CheckSpecTest, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* field;
    std::function<void(RunSpec*)> change;
  };
  const Case cases[] = {
      {"width", [](RunSpec* s) { s->width = 7; }},
      {"width", [](RunSpec* s) { s->width = 12; }},
      {"width", [](RunSpec* s) { s->width = -8; }},
      {"height", [](RunSpec* s) { s->height = 1 << 30; }},
      {"steps", [](RunSpec* s) { s->steps = 0; }},
      {"steps", [](RunSpec* s) { s->steps = 100000; }},
      {"guidance_scale", [](RunSpec* s) { s->guidance_scale = std::nan(""); }},
      {"guidance_scale", [](RunSpec* s) { s->guidance_scale = -1; }},
      {"guidance_rescale", [](RunSpec* s) { s->guidance_rescale = 1.5; }},
      {"eta", [](RunSpec* s) { s->eta = INFINITY; }},
      {"clip_skip", [](RunSpec* s) { s->clip_skip = -1; }},
      {"images", [](RunSpec* s) { s->images = 0; }},
      {"scheduler", [](RunSpec* s) { s->scheduler = "magic"; }},
      {"scheduler", [](RunSpec* s) { s->scheduler = "euler"; }},
  };
  for (const Case& test : cases) {
    RunSpec spec;
    test.change(&spec);
    const Status status = CheckSpec(spec, Model());
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << test.field;
    EXPECT_EQ(Message(status).rfind(test.field, 0), 0u) << status;
  }
}

}  // namespace
}  // namespace phasor::engine
