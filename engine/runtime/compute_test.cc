// Whole runs with the switches of engine/api/compute_options.h, as far as the processor has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include <ATen/Context.h>

#include "engine/runtime/loaded_model.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;
using EngineRun = Run;  // inside a test, Run is GoogleTest's

class ComputeTest : public testing::Test {
 protected:
  ComputeTest() {
    spec_.prompt = "a red circle";
    spec_.width = spec_.height = 64;
    spec_.steps = 4;
    spec_.scheduler = "dpmpp_2m";
  }
  ~ComputeTest() override { Use({}); }  // the switches are the process's

  void Use(const ComputeOptions& compute) {
    run_.reset();
    EngineOptions options;
    options.device = "sim";
    options.compute = compute;
    model_.Load(options, "/models/phasor-demo");
    run_ = model_->Start(spec_).value();
  }
  std::vector<uint8_t> Finish() { return FinishedPicture(*run_); }

  PictureSpec spec_;
  LoadedModel model_;
  std::unique_ptr<EngineRun> run_;
};

TEST_F(ComputeTest, WhichAttentionComputesIsPartOfTheFingerprint) {
  Use({});
  const std::string fingerprint = run_->Report().fingerprint;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run_->Advance().ok());
  const std::string checkpoint = run_->Snapshot().value();
  const std::vector<uint8_t> picture = Finish();

  ComputeOptions math;
  math.attention = "math";
  Use(math);
  EXPECT_FALSE(at::globalContext().userEnabledFlashSDP());
  EXPECT_EQ(at::globalContext().sDPPriorityOrder().front(), at::SDPBackend::math);
  EXPECT_NE(run_->Report().fingerprint, fingerprint);
  EXPECT_THAT(Message(run_->Restore(checkpoint)), HasSubstr("fingerprint"));
  const std::vector<uint8_t> other = Finish();
  ASSERT_EQ(other.size(), picture.size());
  int off = 0;
  for (size_t i = 0; i < picture.size(); ++i) off = std::max(off, std::abs(picture[i] - other[i]));
  EXPECT_LE(off, 2) << "another order of sums, the same picture";

  ComputeOptions said;
  said.tf32 = said.attention = "auto";
  Use(said);
  EXPECT_TRUE(at::globalContext().userEnabledFlashSDP());
  EXPECT_EQ(run_->Report().fingerprint, fingerprint);
  ASSERT_TRUE(run_->Restore(checkpoint).ok());
  EXPECT_EQ(Finish(), picture);
}

TEST_F(ComputeTest, WhatOnlyCardsHaveIsRefusedOnTheProcessor) {
  SystemClock clock;
  const struct {
    std::string ComputeOptions::*word;
    const char* value;
    const char* refusal;
  } cases[] = {{&ComputeOptions::tf32, "on", "tf32: on is for cards"},
               {&ComputeOptions::attention, "cudnn", "attention: cudnn is for cards"},
               {&ComputeOptions::channels_last, "off", "channels_last: off is for cards"},
               {&ComputeOptions::library_memory, "lots", "library_memory: "}};
  for (const auto& [word, value, refusal] : cases) {
    EngineOptions options;
    options.compute.*word = value;
    const auto engine = MakeEngine(options, clock);
    EXPECT_EQ(engine.status().code(), StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(Message(engine.status()), HasSubstr(refusal));
  }
}

TEST_F(ComputeTest, WhatIsLeftToLibrariesIsInThePlanOfEachPhaseThatCallsThem) {
  Use({});
  const ModelPlan plain = model_->Plan(spec_).value();
  ComputeOptions some;
  some.library_memory = "64MiB";
  Use(some);
  const ModelPlan plan = model_->Plan(spec_).value();
  for (size_t i = 0; i < plan.strategies.size(); ++i) {
    for (const UnitKind phase : {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode}) {
      EXPECT_EQ(plan.strategies[i].peak_bytes(phase),
                plain.strategies[i].peak_bytes(phase) + (uint64_t{64} << 20))
          << plan.strategies[i].name();
    }
  }
}

}  // namespace
}  // namespace phasor::engine
