#include "common/queue/order.h"

#include <gtest/gtest.h>

namespace phasor::queue {
namespace {

TEST(ClassStrideTest, PicksNothingWhenNothingIsReady) {
  EXPECT_FALSE(ClassStride().Pick({}).has_value());
}

TEST(ClassStrideTest, PrefersTheMoreUrgentClassWhileNobodyWasServed) {
  EXPECT_EQ(ClassStride().Pick({false, true, false, true}), 1);
}

TEST(ClassStrideTest, EveryFourthTurnIsForTheAged) {
  ClassStride stride;
  std::string turns;
  for (int i = 0; i < 8; ++i) {
    turns.push_back(stride.IsAgedTurn() ? 'A' : '.');
    stride.Charge(0, /*aged=*/false);
  }
  EXPECT_EQ(turns, "...A...A");
}

TEST(ClassStrideTest, AnAgedTurnIsFree) {
  ClassStride stride;
  stride.Charge(3, /*aged=*/true);
  EXPECT_EQ(stride.Pick({false, false, true, true}), 2);
  EXPECT_EQ(stride.Pick({false, false, false, true}), 3);
}

TEST(TenantRingTest, AReturnedJobComesFirstInItsTenantsList) {
  TenantRing ring;
  ring.PushBack("a", "1");
  ring.PushFront("a", "0");
  EXPECT_EQ(ring.Pop("a", 1), "0");
  EXPECT_EQ(ring.Pop("a", 1), "1");
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.NextTenant().has_value());
}

TEST(TenantRingTest, RemovingTheLastJobRemovesTheTenant) {
  TenantRing ring;
  ring.PushBack("a", "1");
  EXPECT_FALSE(ring.Remove("a", "2"));
  EXPECT_TRUE(ring.Remove("a", "1"));
  EXPECT_FALSE(ring.Remove("a", "1"));
  EXPECT_TRUE(ring.empty());
}

TEST(TenantRingTest, LooksAtABoundedWindow) {
  TenantRing ring;
  for (size_t i = 0; i < kTenantWindow + 1; ++i) ring.PushBack(std::to_string(i), "x");
  ring.PushBack("0", "y");
  EXPECT_EQ(ring.NextTenant(), "0");
  ring.Pop("0", 5);
  EXPECT_EQ(ring.NextTenant(), "1");
}

}  // namespace
}  // namespace phasor::queue
