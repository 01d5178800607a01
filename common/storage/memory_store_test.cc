#include "common/storage/memory_store.h"

#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

std::unique_ptr<ResultStore> Make() { return std::make_unique<MemoryStore>(); }

INSTANTIATE_TEST_SUITE_P(Memory, ResultStoreContract, testing::Values(&Make));

}  // namespace
}  // namespace phasor::storage
