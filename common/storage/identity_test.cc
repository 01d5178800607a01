#include "common/storage/identity.h"

#include <gtest/gtest.h>

#include "common/storage/memory_store.h"

namespace phasor::storage {
namespace {

TEST(IdentityTest, AnythingElseInItsPlaceIsDataLoss) {
  for (const std::string bytes :
       {"", "\n", "phasor store \n", "phasor store abc", "phasor store ABC\n", "phasor store a b\n",
        "foreign", "phasor store a\0b\n"}) {
    MemoryStore store;
    ASSERT_TRUE(store.CreateOnce(kIdentityKey, bytes).ok());
    EXPECT_EQ(ReadIdentity(store).status().code(), StatusCode::kDataLoss) << bytes;
    EXPECT_EQ(Identify(store, "").status().code(), StatusCode::kDataLoss) << bytes;
    EXPECT_EQ(Identify(store, "abc").status().code(), StatusCode::kDataLoss) << bytes;
  }
}

TEST(IdentityTest, TwoStoresHaveTwoIdentities) {
  MemoryStore one;
  MemoryStore other;
  EXPECT_NE(Identify(one, "").value(), Identify(other, "").value());
}

TEST(IdentityTest, AStoreHasNoJobsUntilSomethingOfOneIsThere) {
  MemoryStore store;
  ASSERT_TRUE(Identify(store, "").ok());
  EXPECT_TRUE(HasNoJobs(store).value());
  ASSERT_TRUE(store.Put("jobs/x/c/1-1", "checkpoint").ok());
  EXPECT_FALSE(HasNoJobs(store).value());
}

}  // namespace
}  // namespace phasor::storage
