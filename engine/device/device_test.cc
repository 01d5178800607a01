#include "engine/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
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
  EXPECT_EQ(device->Memory().reserved, device->Memory().current.total()) << "it keeps nothing";
  EXPECT_EQ(device->Memory().fragmented, 0u);
}

TEST(DeviceTest, CopiesBesideWhatIsComputedAndConverts) {
  for (const char* name : {"cpu", "sim"}) {
    const auto device = MakeDevice(name, 0).value();
    EXPECT_TRUE(device->place().is_cpu());
    const at::Tensor from = at::arange(4096, at::kFloat);
    const at::Tensor same = at::empty({4096}, at::kFloat);
    const at::Tensor shorter = at::empty({4096}, at::kHalf);
    const auto first = device->CopyAsync(same, from);
    const auto second = device->CopyAsync(shorter, from.slice(0, 0, 4096));
    second->Await();
    EXPECT_TRUE(shorter.equal(from.to(at::kHalf)));
    first->Await();
    first->Await();
    EXPECT_TRUE(same.equal(from));
  }
}

TEST(DeviceTest, ACopyKeepsItsTensorsUntilItsFenceIsGone) {
  const auto device = MakeDevice("sim", 0).value();
  const uint64_t before = device->Memory().current.total();
  {
    const c10::InferenceMode no_autograd;
    const auto dropped =
        device->CopyAsync(at::empty({1 << 18}, at::kFloat), at::full({1 << 18}, 2.0f));
    EXPECT_EQ(device->Memory().current.total() - before, 2 * kMiB);
  }
  EXPECT_EQ(device->Memory().current.total(), before);
}

TEST(DeviceTest, AwaitThrowsWhatTheCopyThrew) {
  const auto device = MakeDevice("cpu", 0).value();
  const auto wrong = device->CopyAsync(at::empty({3}, at::kFloat), at::full({2}, 1.0f));
  EXPECT_THROW(wrong->Await(), c10::Error);
}

TEST(DeviceTest, RefusesInASentence) {
  EXPECT_THAT(Message(MakeDevice("tpu", 0).status()),
              HasSubstr("device: must be cpu, sim or cuda:N"));
  EXPECT_THAT(Message(MakeDevice("cpu", kMiB).status()),
              HasSubstr("vram: the device cpu has no size"));
  const auto first = MakeDevice("sim", 0);
  EXPECT_THAT(Message(MakeDevice("sim", 0).status()), HasSubstr("simulates a device already"));
}

}  // namespace
}  // namespace phasor::engine
