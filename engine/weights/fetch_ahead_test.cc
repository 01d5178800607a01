#include "engine/weights/fetch_ahead.h"

#include <gtest/gtest.h>

#include <ATen/ops/full.h>

namespace phasor::engine {
namespace {

// Five layers of one tensor of 4 KiB each, on a simulated device.
class FetchAheadTest : public testing::Test {
 protected:
  static constexpr uint64_t kLayer = 4096;

  FetchAheadTest() {
    for (int i = 0; i < 5; ++i) hosts_.push_back(at::full({1024}, static_cast<float>(i)));
  }
  void Make(uint64_t room) {
    fetch_ = std::make_unique<FetchAhead>(*device_, clock_, room, [this](size_t layer) {
      return std::vector<at::Tensor>{hosts_[layer]};
    });
  }
  // Whether it had been fetched; checks what came.
  bool Compute(size_t layer) {
    fetch_->Turn(layer);
    const at::Tensor copy = fetch_->Take(hosts_[layer]);
    if (!copy.defined()) return false;
    EXPECT_FALSE(copy.is_alias_of(hosts_[layer]));
    EXPECT_TRUE(copy.equal(hosts_[layer]));
    return true;
  }
  std::string Pass(const std::vector<size_t>& order) {
    std::string fetched;
    for (const size_t layer : order) fetched += Compute(layer) ? 'y' : 'n';
    return fetched;
  }

  const c10::InferenceMode no_autograd_;
  const std::unique_ptr<Device> device_ = MakeDevice("sim", 0).value();
  const SystemClock clock_;
  std::vector<at::Tensor> hosts_;
  std::unique_ptr<FetchAhead> fetch_;
};

TEST_F(FetchAheadTest, FromTheSecondPassOnEveryLayerIsThereWhenItsTurnComes) {
  Make(kLayer);
  EXPECT_EQ(Pass({0, 1, 2, 3, 4}), "nnnnn");
  EXPECT_EQ(Pass({0, 1, 2, 3, 4}), "nyyyy") << "that the first follows the last was not known";
  EXPECT_EQ(Pass({0, 1, 2, 3, 4}), "yyyyy");
  EXPECT_EQ(fetch_->held(), kLayer) << "the first of the next pass";
  EXPECT_EQ(fetch_->count().bytes, 10 * kLayer);
}

TEST_F(FetchAheadTest, HoldsNoMoreThanItsRoom) {
  for (const uint64_t room : {uint64_t{0}, kLayer - 1, kLayer, 2 * kLayer + 1, 100 * kLayer}) {
    Make(room);
    for (int pass = 0; pass < 3; ++pass) {
      for (size_t layer = 0; layer < 5; ++layer) {
        Compute(layer);
        EXPECT_LE(fetch_->held(), room);
        EXPECT_LE(fetch_->held(), 4 * kLayer) << "none twice";
      }
    }
  }
}

TEST_F(FetchAheadTest, AnotherOrderIsLearnt) {
  Make(2 * kLayer);
  Pass({0, 1, 2, 3, 4});
  Pass({0, 1, 2, 3, 4});
  EXPECT_EQ(Pass({4, 2, 0}), "nnn") << "what was fetched is of no use, and given up";
  EXPECT_EQ(fetch_->held(), 2 * kLayer);
  Pass({4, 2, 0});
  EXPECT_EQ(Pass({4, 2, 0}), "yyy");
}

TEST_F(FetchAheadTest, WhatALayerDoesNotTakeIsDroppedWithItsTurn) {
  Make(kLayer);
  Pass({0, 1, 0, 1});
  const uint64_t before = device_->Memory().current.total();
  for (int i = 0; i < 10; ++i) fetch_->Turn(static_cast<size_t>(i % 2));
  EXPECT_LE(device_->Memory().current.total(), before + kLayer);
  EXPECT_FALSE(fetch_->Take(hosts_[3]).defined()) << "none of its tensors";
}

}  // namespace
}  // namespace phasor::engine
