// Whole runs against diffusers: tests/golden/tiny_sd and tests/golden/demo. Tolerances are the
// engine's promise: embeddings 1e-5 relative, final latents 1e-4, pixels 1/255 in 99.9 % of the
// values. On the way latents are as large as the schedule's sigmas (157 for the demo model), so
// there the tolerance is relative to the largest value.
#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "common/base/file.h"
#include "engine/device/test_device.h"
#include "engine/runtime/make_engine.h"
#include "engine/schedulers/scheduler.h"
#include "engine/weights/safetensors.h"

namespace phasor::engine {
namespace {

constexpr double kEmbeddingTolerance = 1e-5;  // of the largest value

struct LatentTolerance {
  double last = 1e-4;      // of the final latents, absolute
  double relative = 1e-5;  // of any step's, to the largest value
};

// PLMS extrapolates from four outputs and amplifies rounding: on the demo model runs of this
// engine with one, two and three threads already differ by 1.3e-4.
LatentTolerance ToleranceOf(const PictureSpec& spec) {
  const double wider = TestDevice::OfEnvironment().Widening();
  if (spec.scheduler == "pndm") return {5e-4 * wider, 3e-4 * wider};
  return {1e-4 * wider, 1e-5 * wider};
}

using EngineRun = Run;  // inside a test, Run is GoogleTest's

std::string Source() { return std::getenv("PHASOR_SOURCE_DIR"); }

struct GoldenRun {
  PictureSpec spec;
  std::map<std::string, at::Tensor> tensors;
};

GoldenRun ReadGolden(const std::string& directory) {
  // The manifest quotes -Infinity as Python writes it.
  const auto manifest =
      ParseSchedulerConfig(ReadFile(directory + "/manifest.json", 1 << 20).value()).value();
  const auto& request = manifest["request"];
  GoldenRun golden;
  golden.spec.prompt = request["prompt"];
  golden.spec.negative_prompt = request["negative"];
  golden.spec.width = request["width"];
  golden.spec.height = request["height"];
  golden.spec.steps = request["steps"];
  golden.spec.guidance_scale = request["guidance"];
  golden.spec.eta = request["eta"];
  golden.spec.images = request["images"];
  golden.spec.seed = request["seed"];
  if (!request["clip_skip"].is_null()) golden.spec.clip_skip = request["clip_skip"];
  golden.spec.guidance_start = request.value("guidance_start", 0.0);
  golden.spec.guidance_end = request.value("guidance_end", 1.0);
  golden.spec.timestep_spacing = request.value("timestep_spacing", "");
  golden.spec.scheduler = manifest["scheduler"];
  golden.tensors = LoadTensors(directory + "/golden.safetensors").value();
  return golden;
}

double LargestDifference(const NamedTensor& ours, const at::Tensor& theirs) {
  EXPECT_EQ(at::IntArrayRef(ours.shape), theirs.sizes()) << ours.name;
  const at::Tensor tensor =
      at::from_blob(const_cast<float*>(ours.values.data()), ours.shape, at::kFloat);
  return (tensor - theirs).abs().max().item<double>();
}

void CompareEmbeddings(Run& run, const GoldenRun& golden) {
  const auto embeddings = run.tensors()->Embeddings().value();
  EXPECT_EQ(embeddings.size(), golden.spec.guidance_scale > 1 ? 2u : 1u);
  for (const NamedTensor& ours : embeddings) {
    const at::Tensor& theirs = golden.tensors.at(ours.name);
    EXPECT_LE(LargestDifference(ours, theirs), kEmbeddingTolerance *
                                                   TestDevice::OfEnvironment().Widening() *
                                                   theirs.abs().max().item<double>())
        << ours.name;
  }
}

// The share of values that are at most 1 off.
double PixelsWithinOne(const std::vector<Image>& images, const at::Tensor& theirs) {
  int64_t good = 0;
  const uint8_t* expected = theirs.const_data_ptr<uint8_t>();
  for (const Image& image : images) {
    for (const uint8_t value : image.rgb) good += std::abs(value - *expected++) <= 1;
  }
  return static_cast<double>(good) / theirs.numel();
}

void Compare(Model& model, const std::string& directory) {
  SCOPED_TRACE(directory);
  const GoldenRun golden = ReadGolden(directory);
  const auto run = model.Start(golden.spec).value();
  double step_worst = 0, last = 0;
  for (Unit unit = run->Next(); unit.kind != UnitKind::kDone; unit = run->Next()) {
    const Status advanced = run->Advance();
    ASSERT_TRUE(advanced.ok()) << advanced;
    if (unit.kind == UnitKind::kEncode) CompareEmbeddings(*run, golden);
    if (unit.kind != UnitKind::kStep) continue;
    ASSERT_EQ(unit.count + 1, golden.tensors.at("latents").size(0));
    const at::Tensor theirs = golden.tensors.at("latents")[unit.index + 1];
    last = LargestDifference(run->tensors()->Latents().value(), theirs);
    step_worst = std::max(step_worst, last / theirs.abs().max().item<double>());
  }
  const LatentTolerance tolerance = ToleranceOf(golden.spec);
  const double largest = golden.tensors.at("latents")[-1].abs().max().item<double>();
  EXPECT_LE(step_worst, tolerance.relative);
  // The tiny models' final latents reach 50, far from the few units of a trained one.
  EXPECT_LE(last, std::max(tolerance.last, tolerance.relative * largest));
  const at::Tensor& pixels = golden.tensors.at("pixels");
  ASSERT_EQ(run->images().size(), static_cast<size_t>(pixels.size(0)));
  const double share = PixelsWithinOne(run->images(), pixels);
  EXPECT_GE(share, TestDevice::OfEnvironment().PixelShare());
  std::cout << std::filesystem::path(directory).filename().string() << ": final latents off by "
            << last << ", any step's by " << step_worst
            << " of the largest, pixels within 1: " << 100 * share << " %\n";
}

class RunGoldenTest : public testing::Test {
 protected:
  std::shared_ptr<Model> Load(const std::string& directory) {
    auto model = engine_->Load(Source() + "/" + directory);
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }

  void CompareAll(Model& model, const std::string& part) {
    int cases = 0;
    for (const auto& entry : std::filesystem::directory_iterator(Source() + "/" + part)) {
      if (!std::filesystem::exists(entry.path() / "golden.safetensors")) continue;
      Compare(model, entry.path());
      ++cases;
    }
    EXPECT_GT(cases, 0) << part;
  }

  // One thread: two that wait for each other at every operator are slow on a busy machine.
  static EngineOptions OptionsUnderTest() {
    EngineOptions options;
    options.device = std::string(TestDevice::OfEnvironment().name);
    options.dtype = std::string(TestDevice::OfEnvironment().dtype);
    return options;
  }

  std::unique_ptr<Engine> MakeOneThreadEngine() {
    EngineOptions options = OptionsUnderTest();
    options.threads = 1;
    return MakeEngine(options, clock_).value();
  }

  SystemClock clock_;
  std::unique_ptr<Engine> engine_ = MakeOneThreadEngine();
};

TEST_F(RunGoldenTest, DrawsTheTinyModelAsDiffusersDoes) {
  CompareAll(*Load("tests/golden/tiny_sd/model"), "tests/golden/tiny_sd");
}

TEST_F(RunGoldenTest, DrawsTheDemoModelAsDiffusersDoesWithEveryScheduler) {
  CompareAll(*Load("models/phasor-demo"), "tests/golden/demo");
}

TEST_F(RunGoldenTest, DrawsAsDiffusersDoesWithMoreThreads) {
  for (const int threads : {2, 4}) {
    engine_.reset();  // of simulated devices there is one at a time
    EngineOptions options = OptionsUnderTest();
    options.threads = threads;
    engine_ = MakeEngine(options, clock_).value();
    Compare(*Load("tests/golden/tiny_sd/model"), Source() + "/tests/golden/tiny_sd/euler");
    Compare(*Load("models/phasor-demo"), Source() + "/tests/golden/demo/dpmpp_2m");
  }
}

TEST_F(RunGoldenTest, GivesTheSameBytesResumedAndAmongOthers) {
  const auto model = Load("tests/golden/tiny_sd/model");
  PictureSpec spec = ReadGolden(Source() + "/tests/golden/tiny_sd/euler_a").spec;
  const auto finish = [](EngineRun* run) {
    while (run->Next().kind != UnitKind::kDone) ASSERT_TRUE(run->Advance().ok());
  };
  const auto whole = model->Start(spec).value();
  for (int unit = 0; unit < 4; ++unit) ASSERT_TRUE(whole->Advance().ok());
  const std::string snapshot = whole->Snapshot().value();
  finish(whole.get());

  const auto resumed = Load("tests/golden/tiny_sd/model")->Start(spec).value();
  ASSERT_TRUE(resumed->Restore(snapshot).ok());
  finish(resumed.get());
  for (int i = 0; i < spec.images; ++i) {
    EXPECT_EQ(resumed->images()[i].rgb, whole->images()[i].rgb) << i;
  }
  spec.images = 1;
  spec.seed += 1;
  const auto alone = model->Start(spec).value();
  finish(alone.get());
  EXPECT_EQ(alone->images()[0].rgb, whole->images()[1].rgb);
}

TEST_F(RunGoldenTest, SaysOfWhichPromptTheModelReadsOnlyTheBeginning) {
  const auto model = Load("models/phasor-demo");
  PictureSpec spec;
  spec.width = spec.height = 64;
  EXPECT_TRUE(model->Start(spec).value()->Report().warnings.empty());
  spec.prompt = "a red circle on a blue background";
  for (int i = 0; i < 100; ++i) spec.negative_prompt += " circle";
  const auto warnings = model->Start(spec).value()->Report().warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].find("negative_prompt: has "), 0u) << warnings[0];
  EXPECT_NE(warnings[0].find("the first 75"), std::string::npos) << warnings[0];
  spec.guidance_scale = 1;  // the negative prompt is not read at all
  EXPECT_TRUE(model->Start(spec).value()->Report().warnings.empty());
}

}  // namespace
}  // namespace phasor::engine
