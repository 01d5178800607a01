// The contract of KeyStore as tests, run against every implementation:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, KeyStoreContract, testing::Values(&MakeMemoryKeyStore));
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "common/access/key_store.h"

namespace phasor::access {

// One that is empty.
using KeyStoreFactory = std::unique_ptr<KeyStore> (*)();

class KeyStoreContract : public testing::TestWithParam<KeyStoreFactory> {
 protected:
  void SetUp() override { store_ = GetParam()(); }
  std::unique_ptr<KeyStore> store_;
};

}  // namespace phasor::access
