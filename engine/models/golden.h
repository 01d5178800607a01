// What the networks' golden tests share: cases of tests/golden and the comparison. Tests only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "engine/device/device.h"
#include "engine/device/test_device.h"
#include "engine/tensor/torch.h"
#include "engine/weights/safetensors.h"
#include "engine/weights/weight_store.h"

namespace phasor::engine {

inline constexpr double kTolerance = 1e-5;  // relative to the largest value of the tensor

inline std::string GoldenDirectory() {
  return std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/tests/golden/";
}

struct GoldenCase {
  std::string name;
  nlohmann::json manifest;
  std::map<std::string, at::Tensor> tensors;
};

// Every case of a part, e.g. "unet"; fails the test if there is none. Tensors of this size are
// quickest on one thread, by far so where other processes want the cores, too.
inline std::vector<GoldenCase> GoldenCases(const std::string& part) {
  at::set_num_threads(1);
  std::vector<GoldenCase> cases;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenDirectory() + part)) {
    const std::string path = entry.path();
    if (!std::filesystem::exists(path + "/golden.safetensors")) continue;
    auto tensors = LoadTensors(path + "/golden.safetensors");
    EXPECT_TRUE(tensors.ok()) << tensors.status();
    const auto manifest = ReadFile(path + "/manifest.json", 1 << 20);
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    if (!tensors.ok() || !manifest.ok()) continue;
    cases.push_back({part + "/" + entry.path().filename().string(),
                     nlohmann::json::parse(*manifest), *std::move(tensors)});
  }
  EXPECT_FALSE(cases.empty()) << "no golden cases in " << part;
  return cases;
}

// The device of the suites, for as long as the program runs.
inline Device& DeviceUnderTest() {
  static const std::unique_ptr<Device> device =
      MakeDevice(std::string(TestDevice::OfEnvironment().name), 0).value();
  return *device;
}

inline at::ScalarType DtypeUnderTest() {
  const std::string_view name = TestDevice::OfEnvironment().dtype;
  return name == "bf16" ? at::kBFloat16 : name == "fp16" ? at::kHalf : at::kFloat;
}

// What a network takes; whole numbers stay as they are.
inline at::Tensor UnderTest(const at::Tensor& tensor) {
  const at::Tensor there = tensor.to(DeviceUnderTest().place());
  return there.is_floating_point() ? there.to(DtypeUnderTest()) : there;
}

inline void PlaceUnderTest(const WeightStore& store) {
  for (const auto& [part, weights] : store.sets()) {
    weights->SetHostMemory(DeviceUnderTest().host_memory(), DeviceUnderTest().place());
  }
}

// The largest difference over the largest value, printed for docs/fidelity.md.
inline void ExpectClose(const at::Tensor& computed, const at::Tensor& expected,
                        const std::string& what) {
  const at::Tensor actual = computed.to(at::kCPU, at::kFloat);
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  const double difference = (actual - expected).abs().max().item<double>();
  const double relative = difference / expected.abs().max().item<double>();
  std::cout << "[ measured ] " << what << " relative " << relative << "\n";
  ::testing::Test::RecordProperty("relative_" + what, std::to_string(relative));
  EXPECT_LE(relative, kTolerance * TestDevice::OfEnvironment().Widening()) << what;
}

}  // namespace phasor::engine
