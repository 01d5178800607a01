// The plug-in as programs load it. Holds with a driver and without.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cuda/driver.h"
#include "engine/device/cuda_device.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

class NoListener final : public AllocationListener {
 public:
  void Allocated(uint64_t, uint64_t) override {}
  void Freed(uint64_t) override {}
};

TEST(PluginTest, LoadsWithLibTorchsCudaSideWhereThereIsNoDriverEither) {
  auto backend = LoadCudaBackend();
  ASSERT_TRUE(backend.ok()) << backend.status();
  EXPECT_NE(c10::getDeviceAllocator(at::kCUDA), nullptr);
  EXPECT_EQ(at::full({4}, 2.0f).sum().item<float>(), 8) << "the processor computes as before";
  if (FindGpu("cuda:0").ok()) return;
  static NoListener listener;
  EXPECT_THROW((*backend)->Open(0, 0, &listener), c10::Error);
  try {
    at::empty({1}, at::device(at::kCUDA));
    FAIL() << "a tensor on a card that is not there";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("NVIDIA driver"));
  }
}

}  // namespace
}  // namespace phasor::engine
