// Reads terminal records one by one, several at a time: for stores that have no way to ask for many
// at once.
#pragma once

#include <functional>
#include <vector>

#include "common/base/status.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

// Answer i for id i. `read` is called on at most `threads` threads, the caller's among them.
std::vector<StatusOr<TerminalRecord>> ReadEach(
    const std::vector<job::JobId>& ids, size_t threads,
    const std::function<StatusOr<TerminalRecord>(const job::JobId&)>& read);

}  // namespace phasor::storage
