// The contract of ResultStore as tests, run against every implementation:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ResultStoreContract, testing::Values(&MakeMemoryStore));
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "common/storage/result_store.h"

namespace phasor::storage {

using ResultStoreFactory = std::unique_ptr<ResultStore> (*)();

class ResultStoreContract : public testing::TestWithParam<ResultStoreFactory> {
 protected:
  void SetUp() override { store_ = GetParam()(); }
  std::unique_ptr<ResultStore> store_;
};

job::JobId TestId(int n);
// A record with every field filled, some with bytes that are no text.
TerminalRecord TestRecord(int n);

}  // namespace phasor::storage
