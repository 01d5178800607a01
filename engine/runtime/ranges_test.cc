// The ends of every range that the demo model's card documents are drawn: an end has shapes that
// nothing between has (maps of one pixel, no step between the first and the last).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "common/config/model_card.h"
#include "engine/api/schedulers.h"
#include "engine/runtime/make_engine.h"

namespace phasor::engine {
namespace {

using EngineRun = Run;  // inside a test, Run is GoogleTest's

class RangesTest : public testing::Test {
 protected:
  RangesTest() {
    EngineOptions options;
    options.threads = 1;
    engine_ = MakeEngine(options, clock_).value();
    demo_ = engine_->Load(Source() + "/models/phasor-demo").value();
    tiny_ = engine_->Load(Source() + "/tests/golden/tiny_sd/model").value();
    limits_ = config::ReadModelCard(Source() + "/models/phasor-demo").value().limits;
    spec_.prompt = "a red circle";
    spec_.guidance_scale = 4;
    spec_.width = spec_.height = limits_.min_size;
    spec_.steps = 1;
    spec_.scheduler = "ddim";
  }

  static std::string Source() { return std::getenv("PHASOR_SOURCE_DIR"); }

  // Draws, and looks that the pictures have their size and are more than one colour.
  static void Draw(Model& model, const PictureSpec& spec) {
    SCOPED_TRACE(std::to_string(spec.width) + "x" + std::to_string(spec.height) + ", " +
                 std::to_string(spec.steps) + " steps, " + std::to_string(spec.images) +
                 " images, clip skip " + std::to_string(spec.clip_skip) + ", " + spec.scheduler);
    const StatusOr<std::unique_ptr<EngineRun>> run = model.Start(spec);
    ASSERT_TRUE(run.ok()) << run.status();
    while ((*run)->Next().kind != UnitKind::kDone) {
      const Status advanced = (*run)->Advance();
      ASSERT_TRUE(advanced.ok()) << advanced;
    }
    ASSERT_EQ((*run)->images().size(), static_cast<size_t>(spec.images));
    for (const Image& image : (*run)->images()) {
      EXPECT_EQ(image.width, spec.width);
      EXPECT_EQ(image.height, spec.height);
      EXPECT_GT(std::set<uint8_t>(image.rgb.begin(), image.rgb.end()).size(), 8u);
    }
  }

  SystemClock clock_;
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<Model> demo_, tiny_;
  picture::Limits limits_;
  PictureSpec spec_;
};

TEST_F(RangesTest, TheSmallestAndTheLargestSides) {
  const int few = limits_.min_size, many = limits_.max_size;
  constexpr int kLeast = 8;  // what the engine takes, below the card's limit: one latent pixel
  for (const auto& [width, height] : {std::pair{kLeast, kLeast},
                                      {kLeast, few},
                                      {few, few},
                                      {few, many},
                                      {many, few},
                                      {many, many},
                                      {few, few + limits_.size_multiple}}) {
    spec_.width = width;
    spec_.height = height;
    Draw(*demo_, spec_);
    spec_.guidance_scale = 1;  // a batch of one
    Draw(*demo_, spec_);
    spec_.guidance_scale = 4;
  }
}

TEST_F(RangesTest, AnySideOnceAnotherHasBeenDrawn) {
  for (const int side : {128, limits_.min_size, 72, 128, limits_.min_size}) {
    spec_.width = spec_.height = side;
    Draw(*demo_, spec_);
  }
}

TEST_F(RangesTest, OneStepAndTheMostWithEverySchedulerThereIs) {
  for (const SchedulerName& name : SchedulerNames()) {
    spec_.scheduler = name.alias;
    for (const int steps : {1, 2, limits_.max_steps}) {
      spec_.steps = steps;
      Draw(*tiny_, spec_);
    }
  }
}

TEST_F(RangesTest, OneImageAndTheMost) {
  for (const int images : {1, limits_.max_images}) {
    spec_.images = images;
    Draw(*demo_, spec_);
  }
}

TEST_F(RangesTest, EveryClipSkipThatTheCardAllows) {
  for (int skip = 0; skip <= limits_.max_clip_skip; ++skip) {
    spec_.clip_skip = skip;
    Draw(*demo_, spec_);
  }
}

TEST_F(RangesTest, TheEndsOfGuidance) {
  for (const double guidance : {0.0, 1.0, limits_.max_guidance_scale}) {
    for (const double rescale : {0.0, 1.0}) {
      spec_.guidance_scale = guidance;
      spec_.guidance_rescale = rescale;
      Draw(*demo_, spec_);
    }
  }
}

TEST_F(RangesTest, GuidanceFromNoneToAllOfTheSteps) {
  spec_.steps = 2;
  for (const double start : {0.0, 0.5, 1.0}) {
    for (const double end : {0.0, 0.5, 1.0}) {
      spec_.guidance_start = start;
      spec_.guidance_end = end;
      Draw(*demo_, spec_);
    }
  }
}

TEST_F(RangesTest, EverySpacingOfEverySampler) {
  spec_.steps = 3;
  for (const SchedulerName& name : SchedulerNames()) {
    for (const char* spacing : {"", "leading", "linspace", "trailing"}) {
      spec_.scheduler = name.alias;
      spec_.timestep_spacing = spacing;
      Draw(*demo_, spec_);
    }
  }
}

}  // namespace
}  // namespace phasor::engine
