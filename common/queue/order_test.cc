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

// The head of the tenant's list, which is taken away.
JobId Pop(TenantRing& ring, const std::string& tenant, int64_t share = 1) {
  const JobId id = ring.List(tenant)->front();
  ring.Charge(tenant, share);
  EXPECT_TRUE(ring.Remove(tenant, id));
  return id;
}

TEST(TenantRingTest, AReturnedJobComesFirstInItsTenantsList) {
  TenantRing ring;
  ring.PushBack("a", "1");
  ring.PushFront("a", "0");
  EXPECT_EQ(Pop(ring, "a"), "0");
  EXPECT_EQ(Pop(ring, "a"), "1");
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
  Pop(ring, "0", 5);
  EXPECT_EQ(ring.NextTenant(), "1");
}

TEST(TenantRingTest, AParkedTenantIsPassedOverAndKeepsItsList) {
  TenantRing ring;
  ring.PushBack("a", "1");
  ring.PushBack("b", "2");
  ring.Park("a");
  EXPECT_EQ(ring.NextTenant(), "b");
  ring.PushBack("a", "3");
  ring.Park("b");
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.NextTenant().has_value());
  EXPECT_FALSE(ring.Head().has_value());
  EXPECT_EQ(ring.List("a")->size(), 2u);
  ring.Unpark("a");
  ring.Unpark("nobody");
  EXPECT_EQ(ring.NextTenant(), "a");
}

TEST(TenantRingTest, BeingParkedEarnsNoCredit) {
  TenantRing ring;
  for (const std::string id : {"1", "2", "3", "4"}) {
    ring.PushBack("a", id);
    ring.PushBack("b", id);
  }
  ring.PushBack("c", "1");
  ring.Park("a");
  for (int i = 0; i < 3; ++i) Pop(ring, "b");
  ring.Unpark("a");
  std::string order;
  while (!ring.empty()) {
    const std::string tenant = *ring.NextTenant();
    order += tenant;
    Pop(ring, tenant);
  }
  EXPECT_EQ(order, "cabaaa");
}

TEST(TenantRingTest, ATenantThatIsAlonePaysNothing) {
  TenantRing ring;
  for (const std::string id : {"1", "2", "3", "4"}) ring.PushBack("a", id);
  for (int i = 0; i < 3; ++i) Pop(ring, "a");
  ring.PushBack("b", "1");
  ring.PushBack("b", "2");
  std::string order;
  while (!ring.empty()) {
    order += *ring.NextTenant();
    Pop(ring, *ring.NextTenant());
  }
  EXPECT_EQ(order, "abb");
}

TEST(TenantRingTest, AParkedTenantWhoseLastJobGoesIsGone) {
  TenantRing ring;
  ring.PushBack("a", "1");
  ring.Park("a");
  EXPECT_TRUE(ring.Remove("a", "1"));
  ring.Unpark("a");
  EXPECT_TRUE(ring.empty());
  ring.PushBack("a", "2");
  EXPECT_EQ(ring.NextTenant(), "a");
}

}  // namespace
}  // namespace phasor::queue
