// Runs that are computed in pieces: asked for, planned because they would not fit, or taken on the
// way. What each changes, and that a run goes on as it was begun wherever it goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "engine/device/counted_memory.h"
#include "engine/runtime/loaded_model.h"

namespace phasor::engine {
namespace {

using EngineRun = Run;  // inside a test, Run is GoogleTest's

class CutsTest : public testing::Test {
 protected:
  CutsTest() {
    spec_.prompt = "a red circle";
    spec_.width = spec_.height = 128;
    spec_.steps = 2;
    spec_.scheduler = "dpmpp_2m";
  }
  ~CutsTest() override { CountedMemory::Get().SetCapacity(0); }

  void Use(const std::string& strategy, const Cuts& cuts, uint64_t vram_bytes = 0) {
    run_.reset();
    EngineOptions options;
    options.device = "sim";
    options.vram_bytes = vram_bytes;
    options.strategy = strategy;
    options.cuts = cuts;
    model_.Load(options, "/models/phasor-demo");
  }

  void Finish() {
    while (run_->Next().kind != UnitKind::kDone) {
      const Status done = run_->Advance();
      ASSERT_TRUE(done.ok()) << done;
    }
  }
  std::vector<uint8_t> Draw() {
    run_ = model_->Start(spec_).value();
    Finish();
    return run_->images().empty() ? std::vector<uint8_t>() : run_->images().front().rgb;
  }

  uint64_t PeakOf(UnitKind kind) const {
    uint64_t peak = 0;
    for (const UnitRecord& unit : run_->Report().units) {
      if (unit.kind == kind) peak = std::max(peak, unit.peak.of(MemoryKind::kActivations));
    }
    return peak;
  }

  std::vector<std::string> Actions() const {
    std::vector<std::string> actions;
    for (const Degradation& one : run_->Report().degradations) actions.push_back(one.action);
    return actions;
  }

  static double LargestDifference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    EXPECT_EQ(a.size(), b.size());
    int largest = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
    }
    return largest;
  }

  PictureSpec spec_;
  LoadedModel model_;
  std::unique_ptr<EngineRun> run_;
};

TEST_F(CutsTest, SplitGuidanceNeedsLessRoomAndChangesRoundingAtMost) {
  spec_.width = spec_.height = 256;  // the texts' keys and values take the same at any size
  Use("SEQUENTIAL_OFFLOAD", {});
  const std::vector<uint8_t> whole = Draw();
  const uint64_t peak = PeakOf(UnitKind::kStep);
  const std::string fingerprint = run_->Report().fingerprint;
  Use("SEQUENTIAL_OFFLOAD", {.split_guidance = true, .vae_tile = 0});
  const std::vector<uint8_t> split = Draw();
  EXPECT_LE(LargestDifference(whole, split), 1);
  EXPECT_LT(PeakOf(UnitKind::kStep), peak * 3 / 4);
  EXPECT_NE(run_->Report().fingerprint, fingerprint);
  EXPECT_TRUE(Actions().empty()) << "it was asked for";
}

TEST_F(CutsTest, TilesNeedLessRoomAndLookAlike) {
  Use("SEQUENTIAL_OFFLOAD", {});
  const std::vector<uint8_t> whole = Draw();
  const uint64_t peak = PeakOf(UnitKind::kDecode);
  const std::string fingerprint = run_->Report().picture_fingerprints[0];
  Use("SEQUENTIAL_OFFLOAD", {.split_guidance = false, .vae_tile = 64});
  const std::vector<uint8_t> tiled = Draw();
  EXPECT_LT(PeakOf(UnitKind::kDecode), peak / 2);
  EXPECT_NE(run_->Report().picture_fingerprints[0], fingerprint);
  double square = 0;
  for (size_t i = 0; i < whole.size(); ++i)
    square += std::pow(static_cast<double>(whole[i]) - tiled[i], 2);
  const double psnr = 10 * std::log10(255.0 * 255.0 * static_cast<double>(whole.size()) / square);
  std::cout << "[ measured ] tiles of 64 pixels: PSNR " << psnr << " dB\n";
  EXPECT_GT(psnr, 15);
  EXPECT_GT(square, 0) << "this is another picture";
}

TEST_F(CutsTest, TheHostDecodesWithNothingOfTheDeviceToTheSameBytes) {
  Use("SEQUENTIAL_OFFLOAD", {});
  const std::vector<uint8_t> whole = Draw();
  const uint64_t peak = PeakOf(UnitKind::kDecode);
  const std::string fingerprint = run_->Report().picture_fingerprints[0];
  Use("SEQUENTIAL_OFFLOAD", {.split_guidance = false, .vae_tile = 0, .decode_on_host = true});
  EXPECT_EQ(Draw(), whole);
  EXPECT_LT(PeakOf(UnitKind::kDecode), peak / 4) << "what a run keeps between its units";
  EXPECT_EQ(run_->Report().picture_fingerprints[0], fingerprint) << "the kernels are the same";
  EXPECT_EQ(Draw(), whole) << "and the next run finds everything in its place";
}

TEST_F(CutsTest, ADecodingThatFitsInNoPiecesIsTheHosts) {
  spec_.width = spec_.height = 256;
  Use("SEQUENTIAL_OFFLOAD", {});
  const std::vector<uint8_t> whole = Draw();
  run_ = model_->Start(spec_).value();
  for (int unit = 0; unit < 3; ++unit) ASSERT_TRUE(run_->Advance().ok());
  CountedMemory& memory = CountedMemory::Get();
  memory.SetCapacity(memory.Use().current.total() + (64 << 10));
  ASSERT_TRUE(run_->Advance().ok());
  EXPECT_EQ(Actions().back(), "DECODE_ON_HOST");
  EXPECT_EQ(run_->images().front().rgb, whole);
}

TEST_F(CutsTest, ATileAsLargeAsThePictureIsNone) {
  Use("SEQUENTIAL_OFFLOAD", {});
  const std::vector<uint8_t> whole = Draw();
  Use("SEQUENTIAL_OFFLOAD", {.split_guidance = false, .vae_tile = 128});
  EXPECT_EQ(Draw(), whole);
}

TEST_F(CutsTest, WhatFitsNoStrategyIsPlannedInPiecesAndFitsThen) {
  Use("AUTO", {});
  Draw();
  uint64_t leanest = UINT64_MAX;
  const ModelPlan plans = model_->Plan(spec_).value();
  for (const ResidencyPlan& one : plans.strategies) {
    leanest = std::min(leanest, one.peak_bytes());
  }
  Use("AUTO", {}, leanest * 2 / 3);
  const RunPlan plan = model_->Plan(spec_).value().chosen;
  EXPECT_FALSE(plan.cuts.none());
  EXPECT_LE(plan.residency.peak_bytes(), leanest * 2 / 3);
  Draw();
  EXPECT_EQ(run_->Report().units.size(), 4u) << "nothing was redone";
  ASSERT_FALSE(Actions().empty());
  for (const Degradation& one : run_->Report().degradations) {
    EXPECT_THAT(one.reason, testing::StartsWith("planned: "));
  }
}

// The peaks of whole phases, with and without guidance in the same run.
TEST_F(CutsTest, PredictsWhatPiecesTake) {
  spec_.width = 192;
  spec_.guidance_end = 0.5;
  for (const Cuts& cuts :
       {Cuts{}, Cuts{true, 0}, Cuts{true, 128}, Cuts{false, 64}, Cuts{false, 0, true}}) {
    Use("SEQUENTIAL_OFFLOAD", cuts);
    Draw();
    std::map<UnitKind, UnitRecord> peaks;
    for (const UnitRecord& unit : run_->Report().units) {
      UnitRecord& highest = peaks[unit.kind];
      if (unit.peak.total() > highest.peak.total()) highest = unit;
    }
    for (const auto& [kind, unit] : peaks) {
      const auto counted = static_cast<double>(unit.peak.total());
      const auto predicted = static_cast<double>(unit.predicted_peak_bytes);
      std::cout << "[ measured ] " << Describe(cuts) << " " << ToString(kind) << ": predicted "
                << predicted / counted << "\n";
      EXPECT_GE(predicted, 0.98 * counted - 16384) << Describe(cuts) << ToString(kind);
      EXPECT_LE(predicted, 1.15 * counted + 16384) << Describe(cuts) << ToString(kind);
    }
  }
}

TEST_F(CutsTest, ARunIsCutOnTheWayAndRedoesNothingThatWentThrough) {
  spec_.width = spec_.height = 256;
  Use("SEQUENTIAL_OFFLOAD", {.split_guidance = true, .vae_tile = 0});
  Draw();
  uint64_t split = 0;
  for (const UnitRecord& unit : run_->Report().units) {
    if (unit.kind == UnitKind::kStep) split = std::max(split, unit.peak.total());
  }
  Use("SEQUENTIAL_OFFLOAD", {});
  run_ = model_->Start(spec_).value();
  ASSERT_TRUE(run_->Advance().ok());
  ASSERT_TRUE(run_->Advance().ok());
  CountedMemory& memory = CountedMemory::Get();
  memory.SetCapacity(split * 11 / 10);
  ASSERT_TRUE(run_->Advance().ok());
  EXPECT_THAT(Actions(), testing::ElementsAre("AGAIN", "SPLIT_GUIDANCE"));
  memory.SetCapacity(0);
  Finish();
  EXPECT_EQ(run_->Report().units.size(), 4u);
}

TEST_F(CutsTest, ARunThatWasCutGoesOnCutElsewhere) {
  spec_.steps = 4;
  Use("SEQUENTIAL_OFFLOAD", {.split_guidance = true, .vae_tile = 0});
  const std::vector<uint8_t> whole = Draw();
  const std::string fingerprint = run_->Report().fingerprint;
  run_ = model_->Start(spec_).value();
  for (int unit = 0; unit < 3; ++unit) ASSERT_TRUE(run_->Advance().ok());
  const std::string snapshot = run_->Snapshot().value();
  Use("FP16_FULL", {});
  run_ = model_->Start(spec_).value();
  ASSERT_TRUE(run_->Restore(snapshot).ok());
  Finish();
  EXPECT_EQ(run_->images().front().rgb, whole);
  EXPECT_EQ(run_->Report().fingerprint, fingerprint);
}

TEST_F(CutsTest, WhatWasGivenUpIsToldWhereTheRunGoesOn) {
  Use("FP16_FULL", {});
  run_ = model_->Start(spec_).value();
  ASSERT_TRUE(run_->Advance().ok());
  ASSERT_TRUE(run_->GoLeaner("pressure"));
  ASSERT_TRUE(run_->Advance().ok());
  const std::string snapshot = run_->Snapshot().value();
  Use("FP16_FULL", {});
  run_ = model_->Start(spec_).value();
  ASSERT_TRUE(run_->Restore(snapshot).ok());
  Finish();
  EXPECT_TRUE(Actions().empty()) << "here nothing was";
  ASSERT_EQ(run_->Report().degradations_before.size(), 1u);
  EXPECT_EQ(run_->Report().degradations_before[0].action, "CPU_OFFLOAD");
  EXPECT_EQ(run_->Report().degradations_before[0].reason, "pressure");
  EXPECT_EQ(run_->Report().strategy, "FP16_FULL") << "there was room again";
}

TEST_F(CutsTest, RefusesTilesThatDoNotJoin) {
  for (const int tile : {-1, 32, 63, 100}) {
    EngineOptions options;
    options.cuts.vae_tile = tile;
    const Status refused = MakeEngine(options, SystemClock()).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << tile;
    EXPECT_THAT(Message(refused), testing::HasSubstr("vae_tile: must be 0 or a multiple of 32"));
  }
}

}  // namespace
}  // namespace phasor::engine
