#include "engine/fake/fake_engine.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace phasor::engine {
namespace {

std::string DemoModel() {
  return std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo";
}

PictureSpec SmallSpec() {
  PictureSpec spec;
  spec.prompt = "a red circle";
  spec.width = 32;
  spec.height = 24;
  spec.steps = 5;
  spec.images = 2;
  spec.seed = 7;
  return spec;
}

std::unique_ptr<Run> Start(const PictureSpec& spec, FakeOptions options = {}) {
  auto model = MakeFakeEngine(std::move(options))->Load(DemoModel());
  EXPECT_TRUE(model.ok()) << model.status();
  auto run = (*model)->Start(spec);
  EXPECT_TRUE(run.ok()) << run.status();
  return std::move(run).value();
}

void Finish(Run* run) {
  while (run->Next().kind != UnitKind::kDone) ASSERT_TRUE(run->Advance().ok());
}

std::vector<std::vector<uint8_t>> Pixels(const Run& run) {
  std::vector<std::vector<uint8_t>> pixels;
  for (const Image& image : run.images()) pixels.push_back(image.rgb);
  return pixels;
}

std::vector<std::vector<uint8_t>> PixelsOf(const PictureSpec& spec) {
  const auto run = Start(spec);
  Finish(run.get());
  return Pixels(*run);
}

TEST(FakeEngineTest, RunsEncodeStepsAndDecodesInOrder) {
  const auto run = Start(SmallSpec());
  std::vector<UnitKind> kinds;
  while (run->Next().kind != UnitKind::kDone) {
    kinds.push_back(run->Next().kind);
    ASSERT_TRUE(run->Advance().ok());
  }
  using enum UnitKind;
  EXPECT_EQ(kinds,
            (std::vector<UnitKind>{kEncode, kStep, kStep, kStep, kStep, kStep, kDecode, kDecode}));
  EXPECT_EQ(run->Advance().code(), StatusCode::kFailedPrecondition);
  ASSERT_EQ(run->images().size(), 2u);
  EXPECT_EQ(run->images()[0].width, 32);
  EXPECT_EQ(run->images()[0].rgb.size(), 32u * 24 * 3);
}

TEST(FakeEngineTest, DrawsWhatTheSpecSaysAndNothingElse) {
  const auto base = PixelsOf(SmallSpec());
  EXPECT_EQ(base, PixelsOf(SmallSpec()));
  PictureSpec other = SmallSpec();
  other.prompt = "a blue circle";
  EXPECT_NE(base, PixelsOf(other));
  other = SmallSpec();
  other.seed = 8;
  other.images = 1;
  EXPECT_EQ(base[1], PixelsOf(other)[0]) << "image 1 of seed 7 is image 0 of seed 8";
}

TEST(FakeEngineTest, ResumesAtEveryStepToTheSameBytes) {
  const auto whole = PixelsOf(SmallSpec());
  for (int k = 1; k <= SmallSpec().steps; ++k) {
    const auto first = Start(SmallSpec());
    for (int unit = 0; unit < 1 + k; ++unit) ASSERT_TRUE(first->Advance().ok());
    const StatusOr<std::string> snapshot = first->Snapshot();
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    const auto second = Start(SmallSpec());
    ASSERT_TRUE(second->Restore(*snapshot).ok());
    EXPECT_EQ(second->Report().resumed_from_step, k);
    Finish(second.get());
    EXPECT_EQ(Pixels(*second), whole) << k;
  }
}

TEST(FakeEngineTest, RefusesSnapshotsOutsideTheStepsAndOfOtherRuns) {
  const auto run = Start(SmallSpec());
  EXPECT_EQ(run->Snapshot().status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(run->Advance().ok());
  ASSERT_TRUE(run->Advance().ok());
  std::string snapshot = run->Snapshot().value();
  PictureSpec other = SmallSpec();
  other.seed = 8;
  EXPECT_EQ(Start(other)->Restore(snapshot).code(), StatusCode::kFailedPrecondition);
  snapshot[40] ^= 1;
  EXPECT_EQ(Start(SmallSpec())->Restore(snapshot).code(), StatusCode::kDataLoss);
  Finish(run.get());
  EXPECT_EQ(run->Snapshot().status().code(), StatusCode::kFailedPrecondition);
}

TEST(FakeEngineTest, FailsTheNthUnitAndGoesOnFromThere) {
  for (int n = 1; n <= 8; ++n) {
    const auto run =
        Start(SmallSpec(), {.before_unit = FailNthUnit(n, ResourceExhausted("no memory"))});
    int failures = 0;
    while (run->Next().kind != UnitKind::kDone) {
      const Unit before = run->Next();
      if (run->Advance().ok()) continue;
      ++failures;
      EXPECT_EQ(run->Next().kind, before.kind);
      EXPECT_EQ(run->Next().index, before.index);
    }
    EXPECT_EQ(failures, 1) << n;
    EXPECT_EQ(Pixels(*run), PixelsOf(SmallSpec())) << n;
  }
}

TEST(FakeEngineTest, LoadsPartByPart) {
  Millis slept{0};
  std::vector<Millis> heard;
  const auto engine =
      MakeFakeEngine({.load_time = Millis(700), .sleep = [&](Millis time) { slept += time; }});
  ASSERT_TRUE(engine->Load(DemoModel(), [&](std::string_view) { heard.push_back(slept); }).ok());
  ASSERT_EQ(heard.size(), static_cast<size_t>(kFakeModelParts));
  for (int part = 0; part < kFakeModelParts; ++part)
    EXPECT_EQ(heard[part], (part + 1) * Millis(700));
}

TEST(FakeEngineTest, TakesTheTimeItWasGiven) {
  Millis slept(0);
  const auto run = Start(SmallSpec(), {.encode_time = Millis(100),
                                       .step_time = Millis(10),
                                       .decode_time = Millis(1),
                                       .sleep = [&](Millis time) { slept += time; }});
  Finish(run.get());
  EXPECT_EQ(slept, Millis(100 + 5 * 10 + 2 * 1));
}

TEST(FakeEngineTest, PreviewsAnEighthOfTheSize) {
  const auto run = Start(SmallSpec());
  const StatusOr<Image> preview = run->Preview(1);
  ASSERT_TRUE(preview.ok());
  EXPECT_EQ(preview->width, 4);
  EXPECT_EQ(preview->height, 3);
  EXPECT_EQ(run->Preview(2).status().code(), StatusCode::kInvalidArgument);
}

TEST(FakeEngineTest, NamesADirectoryThatIsNoModelAndAFieldThatIsWrong) {
  const auto engine = MakeFakeEngine();
  const Status missing = engine->Load("/nowhere/at/all").status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_NE(Message(missing).find("/nowhere/at/all/model_index.json"), std::string::npos);
  PictureSpec spec = SmallSpec();
  spec.width = 7;
  const Status wrong = engine->Load(DemoModel()).value()->Start(spec).status();
  EXPECT_EQ(wrong.code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::engine
