// The store's own clock, by which its objects get their times. Blocks on the store.
#pragma once

#include <cstdint>

#include "common/base/status.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

// Now, in ms since the epoch: the time of an object that is put for this and deleted again.
// RESOURCE_EXHAUSTED: the store has no room for it.
StatusOr<int64_t> StoreTime(ResultStore& store);

}  // namespace phasor::storage
