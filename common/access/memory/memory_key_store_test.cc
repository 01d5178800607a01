#include "common/access/memory/memory_key_store.h"

#include <gtest/gtest.h>

#include "common/access/contract/key_store_contract.h"

namespace phasor::access {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, KeyStoreContract,
                         testing::Values([]() -> std::unique_ptr<KeyStore> {
                           return std::make_unique<MemoryKeyStore>();
                         }));

TEST(MemoryKeyStoreTest, AChangeIsGivenOnce) {
  MemoryKeyStore store;
  const KeyRecord record =
      MakeKey({.name = "n", .tenant = "a", .roles = {Role::kDraw, Role::kRead}}, 1)->record;
  ASSERT_TRUE(store.Add(record).ok());
  ASSERT_TRUE(store.Remove(record.id).ok());
  const auto changes = store.TakeChanges();
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_TRUE((*changes)[0].made);
  EXPECT_FALSE((*changes)[1].made);
  EXPECT_EQ((*changes)[1].id, record.id);
  EXPECT_EQ((*changes)[1].roles, "draw,read");
  EXPECT_TRUE(store.TakeChanges()->empty());
}

TEST(MemoryKeyStoreTest, FailsAsItIsTold) {
  MemoryKeyStore store;
  store.FailWith(Unavailable("away"));
  EXPECT_EQ(store.Read().status().code(), StatusCode::kUnavailable);
  store.FailWith(OkStatus());
  EXPECT_TRUE(store.Read().ok());
}

}  // namespace
}  // namespace phasor::access
