#include "engine/runtime/embedding_cache.h"

#include <gtest/gtest.h>

#include <ATen/ops/full.h>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

class EmbeddingCacheTest : public testing::Test {
 protected:
  static constexpr uint64_t kTensor = 4096;
  static std::vector<at::Tensor> Text(float value) { return {at::full({1024}, value), {}}; }
  bool Holds(const std::string& key, float value) {
    const std::vector<at::Tensor> found = cache_.Find(key, at::kCPU);
    if (found.empty()) return false;
    EXPECT_EQ(found.size(), 2u);
    EXPECT_TRUE(found[0].equal(at::full({1024}, value)));
    EXPECT_FALSE(found[1].defined());
    return true;
  }

  const c10::InferenceMode no_autograd_;
  EmbeddingCache cache_{2 * kTensor + 100};
};

TEST_F(EmbeddingCacheTest, GivesCopiesOfWhatWasPutIn) {
  EXPECT_FALSE(Holds("a", 1));
  cache_.Put("a", Text(1));
  EXPECT_TRUE(Holds("a", 1));
  cache_.Find("a", at::kCPU)[0].fill_(7);
  EXPECT_TRUE(Holds("a", 1));
}

TEST_F(EmbeddingCacheTest, WhatWasUnusedForLongestGoesFirst) {
  cache_.Put("a", Text(1));
  cache_.Put("b", Text(2));
  EXPECT_TRUE(Holds("a", 1));
  cache_.Put("c", Text(3));
  EXPECT_TRUE(Holds("a", 1));
  EXPECT_FALSE(Holds("b", 2));
  EXPECT_TRUE(Holds("c", 3));
  EXPECT_EQ(cache_.bytes(), 2 * kTensor + 2);
}

TEST_F(EmbeddingCacheTest, WhatIsLargerThanTheCacheIsNotKeptAndNothingLeavesForIt) {
  cache_.Put("a", Text(1));
  cache_.Put("large", {at::full({4096}, 1.0f)});
  EXPECT_FALSE(cache_.Has("large"));
  EXPECT_TRUE(cache_.Has("a"));
  EmbeddingCache none(0);
  none.Put("a", Text(1));
  EXPECT_FALSE(none.Has("a"));
}

TEST_F(EmbeddingCacheTest, TakesNothingOfTheDevicesMemory) {
  const uint64_t before = CountedMemory::Get().Use().current.total();
  cache_.Put("a", Text(1));
  EXPECT_EQ(CountedMemory::Get().Use().current.total(), before);
}

}  // namespace
}  // namespace phasor::engine
