// Runs whose networks compute in another type than fp32: how far the picture is from fp32's, that a
// checkpoint goes on to the same bytes, and what they take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "engine/runtime/dtype.h"
#include "engine/runtime/loaded_model.h"
#include "engine/runtime/processor.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;
using EngineRun = Run;  // inside a test, Run is GoogleTest's

struct Name {
  const char* name;
  at::ScalarType type;
};
constexpr Name kShort[] = {{"bf16", at::kBFloat16}, {"fp16", at::kHalf}};

class DtypeTest : public testing::Test {
 protected:
  DtypeTest() {
    spec_.prompt = "a red circle";
    spec_.width = spec_.height = 128;
    spec_.steps = 4;
    spec_.scheduler = "dpmpp_2m";
  }

  void Use(const std::string& dtype, const std::string& strategy = "CPU_OFFLOAD") {
    run_.reset();
    EngineOptions options;
    options.device = "sim";
    options.dtype = dtype;
    options.strategy = strategy;
    model_.Load(options, "/models/phasor-demo");
  }

  void Start() { run_ = model_->Start(spec_).value(); }
  std::vector<uint8_t> Finish() { return FinishedPicture(*run_); }

  PictureSpec spec_;
  LoadedModel model_;
  std::unique_ptr<EngineRun> run_;
};

TEST_F(DtypeTest, AreNamedAndRefusedWhereTheProcessorOnlyConverts) {
  EXPECT_EQ(ParseDtype("fp32").value().type, at::kFloat);
  EXPECT_THAT(Message(ParseDtype("fp8").status()),
              HasSubstr("dtype: must be one of auto, fp32, bf16, fp16, got fp8"));
  for (const Name& dtype : kShort) {
    const StatusOr<Dtype> parsed = ParseDtype(dtype.name);
    EXPECT_EQ(parsed.ok(), Multiplies(dtype.type)) << dtype.name;
    if (parsed.ok()) {
      EXPECT_EQ(parsed->type, dtype.type);
      continue;
    }
    std::cout << "[ measured ] " << Message(parsed.status()) << "\n";
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(parsed.status()), HasSubstr("needs a processor with AVX512-"));
  }
}

TEST_F(DtypeTest, AutoIsFp32HereAndWhatACardMultipliesInThere) {
  EXPECT_EQ(ParseDtype("auto").value().name, "fp32");
  const auto on = [](const char* name, int major) {
    return ParseDtype(name, Gpu{.index = 0, .name = "Card", .bus_id = {}, .major = major});
  };
  EXPECT_EQ(on("auto", 9).value().type, at::kHalf);
  EXPECT_EQ(on("auto", 6).value().type, at::kFloat);
  EXPECT_EQ(on("bf16", 8).value().type, at::kBFloat16);
  EXPECT_FALSE(on("bf16", 7).ok());
}

TEST_F(DtypeTest, ShorterTypesDrawNearlyThePictureOfFp32) {
  Use("fp32");
  Start();
  const std::vector<uint8_t> full = Finish();
  const std::string fingerprint = run_->Report().fingerprint;
  for (const Name& dtype : kShort) {
    if (!Multiplies(dtype.type)) continue;
    Use(dtype.name);
    Start();
    const std::vector<uint8_t> shorter = Finish();
    double square = 0;
    for (size_t i = 0; i < full.size(); ++i)
      square += std::pow(static_cast<double>(full[i]) - shorter[i], 2);
    const double psnr = 10 * std::log10(255.0 * 255.0 * static_cast<double>(full.size()) / square);
    std::cout << "[ measured ] " << dtype.name << ": PSNR " << psnr << " dB\n";
    EXPECT_GT(psnr, 30) << dtype.name;
    EXPECT_NE(run_->Report().fingerprint, fingerprint) << dtype.name;
  }
}

TEST_F(DtypeTest, ShorterTypesGoOnToTheSameBytes) {
  for (const Name& dtype : kShort) {
    if (!Multiplies(dtype.type)) continue;
    Use(dtype.name);
    Start();
    const std::vector<uint8_t> whole = Finish();
    Start();
    for (int unit = 0; unit < 3; ++unit) ASSERT_TRUE(run_->Advance().ok());
    const std::string snapshot = run_->Snapshot().value();
    Use(dtype.name, "SEQUENTIAL_OFFLOAD");
    Start();
    ASSERT_TRUE(run_->Restore(snapshot).ok());
    EXPECT_EQ(Finish(), whole) << dtype.name;
  }
}

TEST_F(DtypeTest, PredictsWhatShorterTypesTake) {
  for (const Name& dtype : kShort) {
    if (!Multiplies(dtype.type)) continue;
    for (const char* strategy : {"FP16_FULL", "CPU_OFFLOAD", "SEQUENTIAL_OFFLOAD"}) {
      Use(dtype.name, strategy);
      Start();
      Finish();  // weights are packed when first used
      Start();
      Finish();
      for (const UnitRecord& unit : run_->Report().units) {
        const auto counted = static_cast<double>(unit.peak.total());
        const auto predicted = static_cast<double>(unit.predicted_peak_bytes);
        std::cout << "[ measured ] " << dtype.name << " " << strategy << " " << ToString(unit.kind)
                  << " " << unit.index << ": counted " << counted / 1024 << " KiB, predicted "
                  << predicted / counted << "\n";
        EXPECT_GE(predicted, 0.98 * counted - 16384) << dtype.name << " " << strategy;
        EXPECT_LE(predicted, 1.15 * counted + 16384) << dtype.name << " " << strategy;
      }
    }
  }
}

}  // namespace
}  // namespace phasor::engine
