// Predicted against counted peaks: every phase of whole runs on the simulated device, under every
// strategy, at several shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "engine/runtime/loaded_model.h"

namespace phasor::engine {
namespace {

using EngineRun = Run;  // inside a test, Run is GoogleTest's

// Of the counted peak. A prediction below it would let a run start that does not fit.
constexpr double kLeast = 0.98;
constexpr double kMost = 1.15;
// Where the largest layer comes ahead while the largest computes, which few orders have.
constexpr double kMostAhead = 1.25;
// What neither a shape nor a part's size tells: time embeddings, indices, the picture's last forms.
constexpr double kSlackBytes = 16 << 10;
// By the run that asks for a plan: its noise.
constexpr uint64_t kTakenBefore = 32 << 10;

class PlanTest : public testing::TestWithParam<const char*> {
 protected:
  void Use(const std::string& strategy, uint64_t vram_bytes = 0,
           const std::string& attention = "auto") {
    EngineOptions options;
    options.compute.attention = attention;
    options.device = "sim";
    options.vram_bytes = vram_bytes;
    options.strategy = strategy;
    model_.Load(options, GetParam());
  }

  static PictureSpec Spec(int width, int height) {
    PictureSpec spec;
    spec.prompt = "a red circle";
    spec.scheduler = "dpmpp_2m";
    spec.steps = 2;
    spec.width = width;
    spec.height = height;
    return spec;
  }

  // The report of a whole run; empty if it failed.
  RunReport Draw(const PictureSpec& spec) {
    const auto run = model_->Start(spec).value();
    while (run->Next().kind != UnitKind::kDone) {
      const uint64_t predicted = run->Next().predicted_peak_bytes;
      if (const Status done = run->Advance(); !done.ok()) {
        ADD_FAILURE() << done << ", predicted " << predicted;
        return {};
      }
    }
    return run->Report();
  }

  void Compare(const PictureSpec& spec, const std::string& what) {
    for (const UnitRecord& unit : Draw(spec).units) {
      const auto counted = static_cast<double>(unit.peak.total());
      const auto predicted = static_cast<double>(unit.predicted_peak_bytes);
      std::cout << "[ measured ] " << what << " " << ToString(unit.kind) << " " << unit.index
                << ": counted " << counted / 1024 << " KiB, predicted " << predicted / counted
                << "\n";
      EXPECT_GE(predicted, kLeast * counted - kSlackBytes) << what << " " << ToString(unit.kind);
      const double most = what.find("BLOCK_STREAM") == what.npos ? kMost : kMostAhead;
      EXPECT_LE(predicted, most * counted + kSlackBytes) << what << " " << ToString(unit.kind);
    }
  }

  LoadedModel model_;
};

TEST_P(PlanTest, PredictsWhatIsCounted) {
  for (const char* strategy : {"FP16_FULL", "CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD",
                               "FP8_OPTIMIZED", "NF4_QUANTIZED+BLOCK_STREAM",
                               "NF4_QUANTIZED+CPU_OFFLOAD", "NF4_QUANTIZED+SEQUENTIAL_OFFLOAD"}) {
    Use(strategy);
    Draw(Spec(64, 64));  // weights are packed when first used
    for (const auto& [width, height] : {std::pair{64, 64}, {128, 128}, {256, 256}, {96, 200}}) {
      PictureSpec spec = Spec(width, height);
      const std::string what =
          std::string(strategy) + " " + std::to_string(width) + "x" + std::to_string(height);
      Compare(spec, what);
      spec.guidance_scale = 1;
      Compare(spec, what + " without guidance");
    }
  }
}

// With math, attention keeps the whole matrix of scores.
TEST_P(PlanTest, PredictsWhatPlainAttentionTakes) {
  for (const char* strategy : {"FP16_FULL", "SEQUENTIAL_OFFLOAD"}) {
    Use(strategy, 0, "math");
    Draw(Spec(64, 64));
    for (const int side : {64, 128, 256}) {
      Compare(Spec(side, side), std::string(strategy) + " math " + std::to_string(side));
    }
  }
}

TEST_P(PlanTest, WhatAPlanSaysFitsFitsFromTheFirstRunOn) {
  const PictureSpec spec = Spec(128, 96);
  Use("FP16_FULL");
  const ModelPlan plans = model_->Plan(spec).value();
  EXPECT_EQ(plans.strategies.size(), 8u);
  for (const ResidencyPlan& plan : plans.strategies) {
    Use(plan.name(), plan.peak_bytes() * 51 / 50 + kTakenBefore);
    const RunReport report = Draw(spec);
    EXPECT_EQ(report.strategy, plan.name());
    EXPECT_EQ(report.degradations.size(), 0u) << plan.name();
  }
}

TEST_P(PlanTest, AutoTakesTheCheapestThatFits) {
  const PictureSpec spec = Spec(128, 128);
  Use("AUTO");
  EXPECT_EQ(Draw(spec).strategy, "FP16_FULL");
  const std::vector<ResidencyPlan> plans = model_->Plan(spec).value().strategies;
  Use("AUTO", plans[0].peak_bytes() - 1);
  EXPECT_EQ(Draw(spec).strategy, "CPU_OFFLOAD");
  EXPECT_EQ(model_->Plan(spec).value().chosen.residency.strategy, Strategy::kCpuOffload);
  Use("AUTO", plans[1].peak_bytes() - 1);
  EXPECT_EQ(Draw(spec).strategy, "BLOCK_STREAM");
  Use("AUTO", plans[2].peak_bytes() * 51 / 50 - 1);
  EXPECT_EQ(Draw(spec).strategy, "SEQUENTIAL_OFFLOAD");
}

INSTANTIATE_TEST_SUITE_P(Models, PlanTest,
                         testing::Values("/tests/golden/tiny_sd/model", "/models/phasor-demo"));

}  // namespace
}  // namespace phasor::engine
