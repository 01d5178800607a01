// Whole runs on the simulated device: the CPU's bytes, a capacity that holds, and failures of any
// allocation after which the unit is simply done again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>

#include "engine/device/counted_memory.h"
#include "engine/runtime/loaded_model.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;
using EngineRun = Run;  // inside a test, Run is GoogleTest's
using Pixels = std::vector<std::vector<uint8_t>>;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr AllocationFailure kFailures[] = {AllocationFailure::kOutOfMemory,
                                           AllocationFailure::kCudnn, AllocationFailure::kCublas};
constexpr const char* kStrategies[] = {"FP16_FULL", "CPU_OFFLOAD", "BLOCK_STREAM",
                                       "SEQUENTIAL_OFFLOAD"};

class SimulatedDeviceTest : public testing::Test {
 protected:
  SimulatedDeviceTest() {
    spec_.prompt = "a red circle";
    spec_.width = spec_.height = 64;
    spec_.steps = 2;
    spec_.scheduler = "dpmpp_2m";
  }
  ~SimulatedDeviceTest() override { memory_.FailAllocation(0, AllocationFailure::kOutOfMemory); }

  // The tiny golden model on a device of its own, which goes before the next is made.
  void Use(const std::string& device, uint64_t vram_bytes = 0,
           const std::string& strategy = "FP16_FULL") {
    run_.reset();
    memory_.FailAllocation(0, AllocationFailure::kOutOfMemory);
    EngineOptions options;
    options.device = device;
    options.vram_bytes = vram_bytes;
    options.strategy = strategy;
    model_.Load(options, "/tests/golden/tiny_sd/model");
  }

  void Start() { run_ = model_->Start(spec_).value(); }

  // Units until the end, each again if it failed; counts the failures, which are all of memory.
  Pixels Finish() {
    failures_ = 0;
    while (run_->Next().kind != UnitKind::kDone) {
      const Status done = run_->Advance();
      if (done.ok()) continue;
      EXPECT_EQ(done.code(), StatusCode::kResourceExhausted) << done;
      if (++failures_ > 10) return {};
    }
    Pixels pixels;
    for (const Image& image : run_->images()) pixels.push_back(image.rgb);
    return pixels;
  }

  Pixels Draw() {
    Start();
    return Finish();
  }

  // The most that the last run had on the device.
  uint64_t Peak() const {
    uint64_t peak = 0;
    for (const UnitRecord& unit : run_->Report().units) peak = std::max(peak, unit.peak.total());
    return peak;
  }
  uint64_t PeakOf(MemoryKind kind) const {
    uint64_t peak = 0;
    for (const UnitRecord& unit : run_->Report().units) peak = std::max(peak, unit.peak.of(kind));
    return peak;
  }

  CountedMemory& memory_ = CountedMemory::Get();
  PictureSpec spec_;
  LoadedModel model_;
  std::unique_ptr<EngineRun> run_;
  int failures_ = 0;
};

TEST_F(SimulatedDeviceTest, DrawsTheCpusBytesUnderTheSameFingerprint) {
  Use("cpu");
  const Pixels expected = Draw();
  const std::string fingerprint = run_->Report().fingerprint;
  Use("sim");
  EXPECT_EQ(Draw(), expected);
  EXPECT_EQ(run_->Report().fingerprint, fingerprint) << "a checkpoint of one goes on on the other";
}

TEST_F(SimulatedDeviceTest, ReportsThePeakOfEveryUnit) {
  Use("sim", 64 * kMiB);
  Draw();
  const RunReport report = run_->Report();
  EXPECT_EQ(report.device, "sim");
  EXPECT_EQ(report.device_bytes, 64 * kMiB);
  for (const UnitRecord& unit : report.units) {
    EXPECT_GT(unit.peak.of(MemoryKind::kActivations), 1000u) << ToString(unit.kind);
    EXPECT_LT(unit.peak.total(), 64 * kMiB) << ToString(unit.kind);
  }
  EXPECT_GT(report.units.back().peak.total(), report.units.front().peak.total())
      << "a picture is larger than a prompt";
}

TEST_F(SimulatedDeviceTest, NothingStaysBehindWhenARunIsGone) {
  Use("sim");
  Draw();  // packs weights
  run_.reset();
  const uint64_t before = memory_.Use().current.total();
  Draw();
  run_.reset();
  EXPECT_EQ(memory_.Use().current.total(), before);
}

TEST_F(SimulatedDeviceTest, AUnitThatDoesNotFitSaysSoAndCanBeDoneAgain) {
  Use("sim", 0, "SEQUENTIAL_OFFLOAD");
  const Pixels expected = Draw();
  Start();
  ASSERT_TRUE(run_->Advance().ok());
  memory_.SetCapacity(memory_.Use().current.total() + 4096);
  const Status failed = run_->Advance();
  EXPECT_EQ(failed.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(failed), HasSubstr("denoising step 1 of 2, 64x64: out of memory: the "
                                         "simulated device has "));
  memory_.SetCapacity(0);
  EXPECT_EQ(Finish(), expected);
  EXPECT_TRUE(run_->Report().degradations.empty());
}

TEST_F(SimulatedDeviceTest, ARunThatDoesNotFitGoesOnUnderALeanerStrategyFromThere) {
  Use("sim");
  const Pixels expected = Draw();
  Start();
  ASSERT_TRUE(run_->Advance().ok());
  ASSERT_TRUE(run_->Advance().ok());
  memory_.SetCapacity(memory_.Use().current.total() + 4096);
  ASSERT_TRUE(run_->Advance().ok()) << "without text encoder and decoder there is room";
  memory_.SetCapacity(0);
  EXPECT_EQ(Finish(), expected);
  const RunReport report = run_->Report();
  ASSERT_EQ(report.degradations.size(), 1u);
  EXPECT_EQ(report.degradations[0].kind, UnitKind::kStep);
  EXPECT_EQ(report.degradations[0].index, 1);
  EXPECT_EQ(report.degradations[0].action, "CPU_OFFLOAD");
  EXPECT_THAT(report.degradations[0].reason, HasSubstr("denoising step 2 of 2"));
  EXPECT_EQ(report.strategy, "CPU_OFFLOAD");
  EXPECT_EQ(report.units.size(), 4u) << "no unit counts twice";
}

TEST_F(SimulatedDeviceTest, NoStrategyChangesAByteOrTheFingerprint) {
  Use("cpu");
  const Pixels expected = Draw();
  const std::string fingerprint = run_->Report().fingerprint;
  for (const char* device : {"cpu", "sim"}) {
    for (const char* strategy : kStrategies) {
      Use(device, 0, strategy);
      EXPECT_EQ(Draw(), expected) << device << ", " << strategy;
      EXPECT_EQ(Draw(), expected) << device << ", " << strategy << ", a second run";
      EXPECT_EQ(run_->Report().fingerprint, fingerprint) << device << ", " << strategy;
      EXPECT_EQ(run_->Report().strategy, strategy);
    }
  }
}

TEST_F(SimulatedDeviceTest, QuantisedWeightsGiveOnePictureWhereverTheyAre) {
  Use("cpu");
  std::vector<Pixels> pictures = {Draw()};
  std::vector<std::string> fingerprints = {run_->Report().fingerprint};
  for (const std::string form : {"FP8_OPTIMIZED", "NF4_QUANTIZED"}) {
    Use("cpu", 0, form);
    const Pixels expected = Draw();
    const std::string fingerprint = run_->Report().fingerprint;
    for (const char* device : {"cpu", "sim"}) {
      for (const char* where : {"", "+CPU_OFFLOAD", "+BLOCK_STREAM", "+SEQUENTIAL_OFFLOAD"}) {
        Use(device, 0, form + where);
        EXPECT_EQ(Draw(), expected) << device << ", " << form << where;
        EXPECT_EQ(Draw(), expected) << device << ", " << form << where << ", a second run";
        EXPECT_EQ(run_->Report().fingerprint, fingerprint) << device << ", " << form << where;
        EXPECT_EQ(run_->Report().strategy, form + where);
      }
    }
    EXPECT_THAT(pictures, testing::Not(testing::Contains(expected))) << form;
    EXPECT_THAT(fingerprints, testing::Not(testing::Contains(fingerprint))) << form;
    pictures.push_back(expected);
    fingerprints.push_back(fingerprint);
  }
}

TEST_F(SimulatedDeviceTest, ARunMayAskForAnotherFormThanTheRunBeforeIt) {
  Use("sim");
  const Pixels plain = Draw();
  run_ = model_->Start(spec_, {.strategy = "NF4_QUANTIZED"}).value();
  EXPECT_NE(Finish(), plain);
  const uint64_t quantised = PeakOf(MemoryKind::kWeights);
  EXPECT_EQ(Draw(), plain);
  EXPECT_LT(quantised, PeakOf(MemoryKind::kWeights)) << "one form at a time is on the device";
}

TEST_F(SimulatedDeviceTest, ACheckpointIsForWeightsOfItsForm) {
  Use("sim");
  Start();
  ASSERT_TRUE(run_->Advance().ok() && run_->Advance().ok());
  const std::string snapshot = run_->Snapshot().value();
  run_ = model_->Start(spec_, {.strategy = "FP8_OPTIMIZED"}).value();
  EXPECT_EQ(run_->Restore(snapshot).code(), StatusCode::kFailedPrecondition);
}

TEST_F(SimulatedDeviceTest, EachStrategyHoldsFewerWeightsThanTheOneBefore) {
  uint64_t before = UINT64_MAX;
  for (const char* strategy : kStrategies) {
    Use("sim", 0, strategy);
    Draw();
    const uint64_t weights = PeakOf(MemoryKind::kWeights);
    EXPECT_LT(weights, before) << strategy;
    before = weights;
  }
}

TEST_F(SimulatedDeviceTest, ATextThatComesAgainNeedsNoTextEncoder) {
  spec_.negative_prompt = "blue";
  Use("sim", 0, "CPU_OFFLOAD");
  const Pixels expected = Draw();
  EXPECT_EQ(run_->Report().embeddings_recalled, std::nullopt) << "it is off unless asked for";
  run_.reset();
  EngineOptions options;
  options.device = "sim";
  options.strategy = "CPU_OFFLOAD";
  options.embedding_cache_bytes = kMiB;
  model_.Load(options, "/tests/golden/tiny_sd/model");
  EXPECT_EQ(Draw(), expected);
  EXPECT_EQ(run_->Report().embeddings_recalled, false);
  EXPECT_EQ(Draw(), expected);
  EXPECT_EQ(run_->Report().embeddings_recalled, true);
  EXPECT_EQ(run_->Report().units[0].predicted_peak_bytes, 0u);
  // Whatever the result depends on is another text.
  const PictureSpec before = spec_;
  for (const auto& change : std::vector<std::function<void(PictureSpec&)>>{
           [](PictureSpec& spec) { spec.prompt += "s"; },
           [](PictureSpec& spec) { spec.negative_prompt = ""; },
           [](PictureSpec& spec) { spec.clip_skip = 1; },
           [](PictureSpec& spec) { spec.guidance_scale = 1; }}) {
    change(spec_ = before);
    Draw();
    EXPECT_EQ(run_->Report().embeddings_recalled, false);
  }
  spec_ = before;
  spec_.seed = 8;
  Draw();
  EXPECT_EQ(run_->Report().embeddings_recalled, true) << "a seed is none of the text's";
}

TEST_F(SimulatedDeviceTest, BlocksThatThereIsNoRoomForComeAheadOfUse) {
  spec_.steps = 3;
  const auto denoise = [&] {
    Start();
    for (int unit = 0; unit < 1 + spec_.steps; ++unit) EXPECT_TRUE(run_->Advance().ok());
    return run_->tensors()->Latents().value().values;
  };
  Use("sim", 0, "CPU_OFFLOAD");
  const std::vector<float> expected = denoise();
  const uint64_t all = PeakOf(MemoryKind::kWeights);
  Use("sim", 0, "BLOCK_STREAM");
  const ModelPlan plans = model_->Plan(spec_).value();
  const uint64_t least = plans.strategies[2].peak_bytes(UnitKind::kStep);
  uint64_t before = UINT64_MAX;
  for (const uint64_t vram : {least * 11 / 10, least + all / 2, least + 2 * all}) {
    Use("sim", vram, "BLOCK_STREAM");
    EXPECT_EQ(denoise(), expected) << vram;
    const RunReport report = run_->Report();
    EXPECT_EQ(report.degradations.size(), 0u) << vram;
    const UnitRecord& step = report.units[2];  // the order is known from the first on
    EXPECT_LE(step.peak.total(), step.predicted_peak_bytes) << vram;
    EXPECT_LT(step.fetched_bytes, before) << vram;
    before = step.fetched_bytes;
  }
  EXPECT_EQ(before, 0u) << "where everything fits, everything stays";
}

TEST_F(SimulatedDeviceTest, ARunNeedsExactlyWhatItReports) {
  for (const char* strategy : kStrategies) {
    Use("sim", 0, strategy);
    const Pixels expected = Draw();
    const uint64_t peak = Peak();
    Use("sim", peak, strategy);
    EXPECT_EQ(Draw(), expected) << strategy;
    EXPECT_EQ(run_->Report().degradations.size(), 0u) << strategy;
    Use("sim", peak - 1, strategy);
    Draw();
    EXPECT_GT(run_->Report().degradations.size() + failures_, 0u) << strategy;
  }
}

TEST_F(SimulatedDeviceTest, AnyAllocationMayFailInAnyPhase) {
  for (const std::string strategy :
       {"FP16_FULL", "CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD", "FP8_OPTIMIZED",
        "NF4_QUANTIZED+SEQUENTIAL_OFFLOAD"}) {
    Use("sim", 0, strategy);
    const Pixels expected = Draw();
    int runs = 0;
    for (uint64_t n = 1;; n += 29, ++runs) {
      Start();
      memory_.FailAllocation(n, kFailures[runs % 3]);
      ASSERT_EQ(Finish(), expected) << strategy << ", allocation " << n;
      const RunReport report = run_->Report();
      ASSERT_EQ(report.units.size(), 4u);
      ASSERT_EQ(failures_, 0) << strategy << ", allocation " << n;
      if (report.degradations.empty()) break;
      ASSERT_EQ(report.degradations.size(), 1u);
      const std::string leaner = report.strategy == strategy
                                     ? "AGAIN"
                                     : report.strategy.substr(report.strategy.find('+') + 1);
      ASSERT_EQ(report.degradations[0].action, leaner);
    }
    EXPECT_GT(runs, 20) << strategy;
  }
}

TEST_F(SimulatedDeviceTest, RandomFailuresInEveryUnitChangeNothing) {
  Use("sim", 0, "AUTO");
  const Pixels expected = Draw();
  std::minstd_rand random(7);
  int troubled = 0;
  for (int i = 0; i < 100; ++i) {
    memory_.FailAllocation(0, AllocationFailure::kOutOfMemory);
    Start();
    failures_ = 0;
    while (run_->Next().kind != UnitKind::kDone) {
      memory_.FailAllocation(random() % 600 + 1, kFailures[random() % 3]);
      ASSERT_TRUE(run_->Advance().ok()) << i;
    }
    ASSERT_EQ(Finish(), expected) << i;
    ASSERT_EQ(run_->Report().units.size(), 4u) << i;
    troubled += run_->Report().degradations.empty() ? 0 : 1;
  }
  EXPECT_GT(troubled, 30);
}

}  // namespace
}  // namespace phasor::engine
