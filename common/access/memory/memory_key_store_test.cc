#include "common/access/memory/memory_key_store.h"

#include <gtest/gtest.h>

#include "common/access/contract/key_store_contract.h"

namespace phasor::access {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, KeyStoreContract,
                         testing::Values([]() -> std::unique_ptr<KeyStore> {
                           return std::make_unique<MemoryKeyStore>();
                         }));

TEST(MemoryKeyStoreTest, FailsAsItIsTold) {
  MemoryKeyStore store;
  store.FailWith(Unavailable("away"));
  EXPECT_EQ(store.Read().status().code(), StatusCode::kUnavailable);
  store.FailWith(OkStatus());
  EXPECT_TRUE(store.Read().ok());
}

}  // namespace
}  // namespace phasor::access
