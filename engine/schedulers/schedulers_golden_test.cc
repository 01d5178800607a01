// Every golden schedule of tests/golden/schedulers against this folder's classes. The model's
// outputs are stored there, so the arithmetic of the schedulers is all that is compared, and it
// agrees to the last bit.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/scheduler.h"
#include "engine/weights/safetensors.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;

struct GoldenCase {
  std::string name;
  nlohmann::json config;
  nlohmann::json manifest;
  std::map<std::string, at::Tensor> tensors;
};

fs::path GoldenFolder() {
  const char* source = std::getenv("PHASOR_SOURCE_DIR");
  return fs::path(source == nullptr ? "." : source) / "tests/golden/schedulers";
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

GoldenCase LoadCase(const std::string& name) {
  const fs::path folder = GoldenFolder() / name;
  GoldenCase golden;
  golden.name = name;
  golden.config = ParseSchedulerConfig(ReadText(folder / "scheduler_config.json")).value();
  golden.manifest = nlohmann::json::parse(ReadText(folder / "manifest.json"));
  golden.tensors = LoadTensors((folder / "golden.safetensors").string()).value();
  return golden;
}

std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  if (!fs::exists(GoldenFolder())) return names;
  for (const fs::directory_entry& entry : fs::directory_iterator(GoldenFolder())) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<Scheduler> Make(const GoldenCase& golden) {
  SchedulerOptions options;
  options.pipeline_fixups = false;
  options.eta = golden.manifest.value("step_arguments", nlohmann::json::object()).value("eta", 0.0);
  std::unique_ptr<Scheduler> scheduler = MakeScheduler(golden.config, options).value();
  EXPECT_TRUE(scheduler->SetTimesteps(golden.manifest["steps"].get<int>()).ok());
  return scheduler;
}

NoiseSource SeededNoise(const nlohmann::json& manifest) {
  if (!manifest.contains("noise_seed") || manifest["noise_seed"].is_null()) {
    return [](at::IntArrayRef, at::ScalarType) -> at::Tensor {
      ADD_FAILURE() << "noise was drawn where the reference draws none";
      return {};
    };
  }
  at::Generator generator =
      at::make_generator<at::CPUGeneratorImpl>(manifest["noise_seed"].get<uint64_t>());
  return [generator](at::IntArrayRef shape, at::ScalarType dtype) {
    return at::randn(shape, generator, at::TensorOptions().dtype(dtype));
  };
}

double MaxDifference(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).abs().max().item<double>();
}

class SchedulerGoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(SchedulerGoldenTest, GivesTheReferencesTimestepsAndLatentsBitForBit) {
  const GoldenCase golden = LoadCase(GetParam());
  const std::unique_ptr<Scheduler> scheduler = Make(golden);
  const at::Tensor timesteps = golden.tensors.at("timesteps").to(at::kDouble);
  ASSERT_EQ(static_cast<int64_t>(scheduler->timesteps().size()), timesteps.numel());
  for (int64_t k = 0; k < timesteps.numel(); ++k) {
    EXPECT_EQ(scheduler->timesteps()[static_cast<size_t>(k)], timesteps[k].item<double>())
        << "timestep " << k;
  }
  EXPECT_EQ(scheduler->init_noise_sigma(), golden.tensors.at("init_noise_sigma").item<double>());

  const NoiseSource noise = SeededNoise(golden.manifest);
  const at::Tensor latents = golden.tensors.at("latents");
  const at::Tensor outputs = golden.tensors.at("model_outputs");
  at::Tensor x = latents[0];
  for (int k = 0; k < timesteps.numel(); ++k) {
    if (auto scaled = golden.tensors.find("scaled_inputs"); scaled != golden.tensors.end()) {
      EXPECT_TRUE(scheduler->ScaleInput(x, k).equal(scaled->second[k])) << "input " << k;
    }
    x = scheduler->Step(outputs[k], k, x, noise);
    EXPECT_TRUE(x.equal(latents[k + 1]))
        << "latents after call " << k << " differ by " << MaxDifference(x, latents[k + 1]);
  }
}

TEST_P(SchedulerGoldenTest, GoesOnFromAnySavedStateWithTheSameBytes) {
  const GoldenCase golden = LoadCase(GetParam());
  const at::Tensor outputs = golden.tensors.at("model_outputs");
  const at::Tensor drawn = at::ones_like(outputs[0]);
  const NoiseSource noise = [&](at::IntArrayRef, at::ScalarType) { return drawn; };
  const auto calls = static_cast<int>(outputs.size(0));
  at::Tensor straight = golden.tensors.at("latents")[0];
  at::Tensor hopping = straight;
  const std::unique_ptr<Scheduler> whole = Make(golden);
  SchedulerState state = whole->State();
  for (int k = 0; k < calls; ++k) {
    straight = whole->Step(outputs[k], k, straight, noise);
    const std::unique_ptr<Scheduler> fresh = Make(golden);
    for (auto& [name, tensor] : state.tensors) tensor = tensor.clone();
    const Status restored = fresh->SetState(state, hopping.sizes());
    ASSERT_TRUE(restored.ok()) << "before call " << k << ": " << restored;
    hopping = fresh->Step(outputs[k], k, hopping, noise);
    state = fresh->State();
    ASSERT_TRUE(straight.equal(hopping)) << "after call " << k;
  }
}

TEST_P(SchedulerGoldenTest, HasTheReferencesNoiseTable) {
  const GoldenCase golden = LoadCase(GetParam());
  SchedulerKeys keys(golden.config);
  const bool has_zero_snr = golden.config["_class_name"] != "PNDMScheduler";
  const bool clamps = golden.config["_class_name"] != "DDIMScheduler";
  const BetaConfig config = ReadBetaConfig(keys, has_zero_snr);
  EXPECT_TRUE(AlphasCumprod(config, clamps).equal(golden.tensors.at("alphas_cumprod")));
}

INSTANTIATE_TEST_SUITE_P(Golden, SchedulerGoldenTest, testing::ValuesIn(CaseNames()),
                         [](const auto& param) { return param.param; });

TEST(SchedulerGoldenCases, CoverEveryClass) {
  std::set<std::string> classes;
  for (const std::string& name : CaseNames()) {
    classes.insert(LoadCase(name).config["_class_name"].get<std::string>());
  }
  EXPECT_EQ(classes.size(), 5u);
}

}  // namespace
}  // namespace phasor::engine
