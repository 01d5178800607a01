// The golden schedules of tests/golden/schedulers, for the tests that compare with them. Tests
// only.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/random/noise_stream.h"
#include "engine/schedulers/scheduler.h"
#include "engine/weights/safetensors.h"

namespace phasor::engine {

struct GoldenSchedule {
  nlohmann::json config;
  nlohmann::json manifest;
  std::map<std::string, at::Tensor> tensors;
};

inline std::filesystem::path GoldenSchedules() {
  const char* source = std::getenv("PHASOR_SOURCE_DIR");
  return std::filesystem::path(source == nullptr ? "." : source) / "tests/golden/schedulers";
}

inline std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline GoldenSchedule LoadSchedule(const std::string& name) {
  const std::filesystem::path folder = GoldenSchedules() / name;
  return {ParseSchedulerConfig(ReadText(folder / "scheduler_config.json")).value(),
          nlohmann::json::parse(ReadText(folder / "manifest.json")),
          LoadTensors((folder / "golden.safetensors").string()).value()};
}

inline std::vector<std::string> ScheduleNames() {
  std::vector<std::string> names;
  if (!std::filesystem::exists(GoldenSchedules())) return names;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenSchedules())) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::unique_ptr<Scheduler> MakeGolden(const GoldenSchedule& golden) {
  SchedulerOptions options;
  options.pipeline_fixups = false;
  options.eta = golden.manifest.value("step_arguments", nlohmann::json::object()).value("eta", 0.0);
  std::unique_ptr<Scheduler> scheduler = MakeScheduler(golden.config, options).value();
  EXPECT_TRUE(scheduler->SetTimesteps(golden.manifest["steps"].get<int>()).ok());
  return scheduler;
}

// The reference drew from one generator for the whole batch.
inline NoiseSource GoldenNoise(const nlohmann::json& manifest) {
  if (!manifest.contains("noise_seed") || manifest["noise_seed"].is_null()) {
    return [](at::IntArrayRef, at::ScalarType) -> at::Tensor {
      ADD_FAILURE() << "noise was drawn where the reference draws none";
      return {};
    };
  }
  const auto stream = std::make_shared<NoiseStream>(manifest["noise_seed"].get<uint64_t>());
  return
      [stream](at::IntArrayRef shape, at::ScalarType dtype) { return stream->Draw(shape, dtype); };
}

// The latents after every call, from the stored outputs of the model.
inline std::vector<at::Tensor> RunGolden(const GoldenSchedule& golden, Scheduler& scheduler) {
  const NoiseSource noise = GoldenNoise(golden.manifest);
  const at::Tensor outputs = golden.tensors.at("model_outputs");
  std::vector<at::Tensor> latents = {golden.tensors.at("latents")[0]};
  for (int k = 0; k < outputs.size(0); ++k) {
    latents.push_back(scheduler.Step(outputs[k], k, latents.back(), noise));
  }
  return latents;
}

}  // namespace phasor::engine
