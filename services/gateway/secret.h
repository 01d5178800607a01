// The fleet's secret: what turns idempotency keys into job ids that nobody can guess. Thread-safe,
// also between processes that start at once.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::gateway {

// The content of `path`, which is first made with random content, readable by its owner alone, if
// there is none. INVALID_ARGUMENT for one of fewer than 16 or more than 4096 bytes.
StatusOr<std::string> ReadOrMakeSecret(const std::string& path);

}  // namespace phasor::gateway
