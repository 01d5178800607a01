// A model that was measured, kept and loaded again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/file.h"
#include "engine/calibration/calibration_file.h"
#include "engine/calibration/measure.h"
#include "engine/runtime/loaded_model.h"

namespace phasor::engine {
namespace {

constexpr char kTiny[] = "/tests/golden/tiny_sd/model";

class CalibratedTest : public testing::Test {
 protected:
  CalibratedTest() {
    options_.device = "sim";
    options_.cache_directory = testing::TempDir() + "calibrated-" + std::to_string(getpid());
    spec_.prompt = "a red circle";
    spec_.scheduler = "dpmpp_2m";
    spec_.width = spec_.height = 128;
    spec_.steps = 2;
  }
  ~CalibratedTest() override { std::filesystem::remove_all(options_.cache_directory); }

  void Load() { model_.Load(options_, kTiny); }

  Calibration MeasureTiny(std::vector<int> sides) {
    options_.uncalibrated = true;
    Load();
    options_.uncalibrated = false;
    MeasureOptions measure;
    measure.spec = spec_;
    measure.sides = std::move(sides);
    return Measure(*model_.operator->(), measure).value();
  }

  std::unique_ptr<phasor::engine::Run> Draw() {
    auto run = model_->Start(spec_).value();
    while (run->Next().kind != UnitKind::kDone) EXPECT_TRUE(run->Advance().ok());
    return run;
  }

  EngineOptions options_;
  PictureSpec spec_;
  LoadedModel model_;
};

TEST_F(CalibratedTest, MeasuresEachPhaseOfEachSizeWithAndWithoutGuidance) {
  const Calibration measured = MeasureTiny({64, 128});
  ASSERT_EQ(measured.units.size(), 2u * 2 * 3);
  for (const MeasuredUnit& unit : measured.units) {
    EXPECT_GT(unit.seconds, 0);
    EXPECT_GT(unit.counted_bytes, 0u);
  }
  EXPECT_GE(measured.fetch_seconds_per_byte, 0);
}

TEST_F(CalibratedTest, PlansByWhatWasCountedAndKnowsTimes) {
  const Calibration measured = MeasureTiny({128});
  EXPECT_EQ(model_->Plan(spec_)->seconds.front(), 0) << "nothing was measured before";
  ASSERT_TRUE(model_->Keep(measured).ok());
  Load();
  const ModelPlan plan = model_->Plan(spec_).value();
  EXPECT_GT(plan.seconds.front(), 0);
  const auto run = model_->Start(spec_).value();
  EXPECT_GT(run->Next().predicted_seconds, 0);
  ASSERT_TRUE(run->Advance().ok());
  for (; run->Next().kind != UnitKind::kDone;) ASSERT_TRUE(run->Advance().ok());
  for (const MeasuredUnit& unit : measured.units) {
    if (!unit.shape.guidance) continue;
    const PlannedPhase* const phase = plan.strategies.front().Of(unit.shape.phase);
    uint64_t weights = 0;
    for (const PlannedPart& part : phase->parts) weights += part.bytes;
    // A factor in floating point may lose the last byte.
    EXPECT_NEAR(static_cast<double>(phase->peak_bytes - weights),
                static_cast<double>(unit.counted_bytes), 1)
        << ToString(unit.shape.phase);
  }
}

TEST_F(CalibratedTest, ChangesNoByteOfAPicture) {
  Load();
  const Image before = Draw()->images().front();
  const Calibration measured = MeasureTiny({64, 128});
  ASSERT_TRUE(model_->Keep(measured).ok());
  Load();
  EXPECT_EQ(Draw()->images().front().rgb, before.rgb);
}

TEST_F(CalibratedTest, AFileThatLiesIsPassedOverAndTold) {
  const Calibration lie = MeasureTiny({64});
  const std::string path = model_->Keep(lie).value();
  std::string text = ReadFile(path, 1 << 20).value();
  const std::string counted = "\"counted_bytes\": ";
  text.insert(text.find(counted) + counted.size(), "1000");
  ASSERT_TRUE(WriteFileDurably(path, text).ok());
  Load();
  const auto run = Draw();
  EXPECT_THAT(run->Report().warnings,
              testing::Contains(
                  testing::AllOf(testing::HasSubstr("is not used"), testing::HasSubstr(path))));
  EXPECT_EQ(model_->Plan(spec_)->seconds.front(), 0);
  EXPECT_THAT(model_->Plan(spec_)->warnings, testing::Contains(testing::HasSubstr(path)));
}

TEST_F(CalibratedTest, LeavesOutWhatDoesNotFitAndFailsIfNothingDoes) {
  MeasureOptions measure;
  measure.spec = spec_;
  measure.sides = {64, 512};
  std::vector<std::string> skipped;
  measure.on_skip = [&](const std::string& what) { skipped.push_back(what); };
  Load();
  spec_.width = spec_.height = 64;
  const uint64_t small = model_->Plan(spec_)->strategies.front().peak_bytes();
  options_.vram_bytes = small * 3 / 2;
  Load();
  const auto measured = Measure(*model_.operator->(), measure);
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_THAT(skipped, testing::Each(testing::HasSubstr("512x512 does not fit")));
  EXPECT_EQ(skipped.size(), 2u) << "with and without guidance";
  options_.vram_bytes = small / 3;
  Load();
  EXPECT_EQ(Measure(*model_.operator->(), measure).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(CalibratedTest, StopsBetweenTwoUnits) {
  Load();
  MeasureOptions measure;
  measure.spec = spec_;
  measure.sides = {64};
  measure.stop = [] { return true; };
  EXPECT_EQ(Measure(*model_.operator->(), measure).status().code(), StatusCode::kCancelled);
}

TEST(SidesBetweenTest, DoublesAndEndsWithTheLargest) {
  EXPECT_THAT(SidesBetween(64, 512), testing::ElementsAre(64, 128, 256, 512));
  EXPECT_THAT(SidesBetween(64, 320), testing::ElementsAre(64, 128, 256, 320));
  EXPECT_THAT(SidesBetween(64, 64), testing::ElementsAre(64));
  EXPECT_THAT(SidesBetween(128, 64), testing::ElementsAre(64)) << "the card allows no less";
}

}  // namespace
}  // namespace phasor::engine
