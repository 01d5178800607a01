#include "engine/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(DeviceTest, TheCpuHasNoBoundOfItsOwn) {
  const auto device = MakeDevice("cpu", 0).value();
  EXPECT_EQ(device->name(), "cpu");
  EXPECT_EQ(device->Memory().capacity, 0u);
}

TEST(DeviceTest, TheSimulatedDeviceHasTheMemoryItWasGivenWhileItLives) {
  {
    const auto device = MakeDevice("sim", 16 * kMiB).value();
    EXPECT_EQ(device->Memory().capacity, 16 * kMiB);
    EXPECT_THROW(at::empty({int64_t{17} << 20}, at::kByte), c10::OutOfMemoryError);
  }
  EXPECT_EQ(at::empty({int64_t{17} << 20}, at::kByte).numel(), int64_t{17} << 20);
}

TEST(DeviceTest, ReportsThePeakSinceTheLastReset) {
  const auto device = MakeDevice("sim", 0).value();
  device->ResetPeak();
  { const at::Tensor gone = at::empty({int64_t{1} << 20}, at::kByte); }
  EXPECT_EQ(device->Memory().peak.total() - device->Memory().current.total(), kMiB);
  device->ResetPeak();
  EXPECT_EQ(device->Memory().peak.total(), device->Memory().current.total());
}

TEST(DeviceTest, RefusesInASentence) {
  EXPECT_THAT(Message(MakeDevice("tpu", 0).status()), HasSubstr("device: must be cpu or sim"));
  EXPECT_THAT(Message(MakeDevice("cpu", kMiB).status()), HasSubstr("vram: only the device sim"));
  const auto first = MakeDevice("sim", 0);
  EXPECT_THAT(Message(MakeDevice("sim", 0).status()), HasSubstr("simulates a device already"));
}

}  // namespace
}  // namespace phasor::engine
