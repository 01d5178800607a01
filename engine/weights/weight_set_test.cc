#include "engine/weights/weight_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <c10/util/Exception.h>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kKiB = 1024;

// Two layers and a convolution, of 1, 2 and 36 KiB, on a device with memory of its own.
class WeightSetTest : public testing::Test {
 protected:
  WeightSetTest() {
    set_->SetHostMemory(HostMemory::kApart);
    first_ = set_->Add("a.weight", at::full({256}, 1.0f), at::kFloat);
    bias_ = set_->Add("a.bias", at::full({4}, 2.0f), at::kFloat);
    second_ = set_->Add("b.weight", at::full({512}, 3.0f), at::kFloat);
    convolution_ =
        set_->Add("c.weight", at::full({32, 32, 3, 3}, 4.0f), at::kFloat, {.packs = true});
    before_ = OnDevice();
  }
  ~WeightSetTest() override {
    CountedMemory::Get().FailAllocation(0, AllocationFailure::kOutOfMemory);
  }

  static uint64_t OnDevice() { return CountedMemory::Get().Use().current.of(MemoryKind::kWeights); }
  uint64_t Taken() const { return OnDevice() - before_; }
  const at::Tensor& Packed() const {
    return convolution_.ForConvolution({.input = {1, 32, 8, 8}, .stride = 1, .padding = 1});
  }

  const c10::InferenceMode no_autograd_;
  std::shared_ptr<WeightSet> set_ = std::make_shared<WeightSet>("unet");
  Weight first_, bias_, second_, convolution_;
  uint64_t before_ = 0;
};

TEST_F(WeightSetTest, WeightsComeWhenTheyAreAskedForAndStay) {
  EXPECT_EQ(Taken(), 0u);
  const at::Tensor* const value = &*first_;
  EXPECT_EQ(Taken(), kKiB);
  EXPECT_EQ(&*first_, value);
  EXPECT_EQ(value->sum().item<float>(), 256);
  EXPECT_EQ(second_->numel(), 512);
  EXPECT_EQ(Taken(), 3 * kKiB);
}

TEST_F(WeightSetTest, PlacedOnTheDeviceAllComeAtOnceButConvolutionsWhenTheyArePacked) {
  set_->Place(Placement::kResident);
  EXPECT_EQ(Taken(), 3 * kKiB + 16);
  EXPECT_TRUE(Packed().is_mkldnn());
  EXPECT_EQ(Taken(), 39 * kKiB + 16) << "what packing needed on the way is gone";
  set_->Place(Placement::kAbsent);
  EXPECT_EQ(Taken(), 0u);
}

TEST_F(WeightSetTest, StreamedOnlyOneLayerIsThere) {
  set_->Place(Placement::kStreamed);
  EXPECT_EQ(first_->sum().item<float>(), 256);
  EXPECT_EQ(bias_->sum().item<float>(), 8);
  EXPECT_EQ(Taken(), kKiB + 16);
  EXPECT_EQ(second_->sum().item<float>(), 3 * 512);
  EXPECT_EQ(Taken(), 2 * kKiB);
  EXPECT_TRUE(Packed().is_mkldnn());
  EXPECT_EQ(Taken(), 36 * kKiB);
  EXPECT_EQ(first_->sum().item<float>(), 256) << "and again";
  EXPECT_EQ(Taken(), kKiB);
  set_->Place(Placement::kAbsent);
  EXPECT_EQ(Taken(), 0u);
}

TEST_F(WeightSetTest, AbsentTheyAreAnErrorThatNamesThem) {
  set_->Place(Placement::kAbsent);
  try {
    first_->numel();
    FAIL() << "nothing was thrown";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(), HasSubstr("'a.weight' of unet is computed with"));
  }
  set_->Place(Placement::kResident);
  EXPECT_EQ(first_->numel(), 256);
}

TEST_F(WeightSetTest, WhatFailsToComeMayBeAskedForAgain) {
  CountedMemory::Get().FailAllocation(2, AllocationFailure::kOutOfMemory);
  EXPECT_THROW(set_->Place(Placement::kResident), c10::OutOfMemoryError);
  set_->Place(Placement::kResident);
  EXPECT_EQ(Taken(), 3 * kKiB + 16);
  for (uint64_t n = 1; n <= 2; ++n) {
    CountedMemory::Get().FailAllocation(n, AllocationFailure::kOutOfMemory);
    EXPECT_THROW(Packed(), c10::OutOfMemoryError) << n;
    EXPECT_EQ(Taken(), 3 * kKiB + 16);
  }
  EXPECT_TRUE(Packed().is_mkldnn());
}

TEST_F(WeightSetTest, WhereTheHostsMemoryServesNothingIsCopied) {
  set_->SetHostMemory(HostMemory::kShared);
  set_->Place(Placement::kResident);
  EXPECT_EQ(Taken(), 0u);
  EXPECT_EQ(first_->sum().item<float>(), 256);
}

TEST_F(WeightSetTest, WhereTheHostComputesNothingIsOnTheDevice) {
  set_->Place(Placement::kOnHost);
  EXPECT_EQ(first_->sum().item<float>(), 256);
  EXPECT_TRUE(Packed().is_mkldnn());
  EXPECT_EQ(Taken(), 0u);
  EXPECT_EQ(set_->HeldBytes(), 0u);
  set_->Place(Placement::kResident);
  EXPECT_EQ(Taken(), 3 * kKiB + 16) << "the host's values are none of the device's";
  EXPECT_EQ(set_->HeldBytes(), 3 * kKiB + 16);
}

TEST_F(WeightSetTest, ACopyLiesAsTheOriginalDoes) {
  const at::Tensor room = at::full({64}, 1.0f);
  for (const int64_t offset : {0, 1, 3, 15}) {
    const std::string name = "at" + std::to_string(offset) + ".weight";
    const at::Tensor host = room.slice(0, offset, offset + 32).view({4, 8});
    const Weight weight = set_->Add(name, host, at::kFloat);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(weight->const_data_ptr()) % 64, sizeof(float) * offset);
    EXPECT_TRUE(weight->equal(host));
  }
}

TEST_F(WeightSetTest, FloatsComeInTheTypeAskedForAndIntegersAsTheyAre) {
  const Weight half = set_->Add("d.weight", at::full({4}, 0.5f), at::kHalf, {.packs = true});
  const Weight ids = set_->Add("d.ids", at::arange(4, at::kLong), at::kFloat);
  EXPECT_EQ(half.ForConvolution({.input = {1, 1, 1, 1}}).scalar_type(), at::kHalf);
  EXPECT_EQ(ids->scalar_type(), at::kLong);
}

TEST_F(WeightSetTest, HandlesOutliveWhoMadeTheSet) {
  set_.reset();
  EXPECT_EQ(first_->sum().item<float>(), 256);
}

}  // namespace
}  // namespace phasor::engine
