// Files that only their owner may read. Thread-safe (no shared state).
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::cli {

// In place of whatever is there; nobody else can read it at any moment. UNKNOWN names the path and
// the operating system's reason.
Status WriteSecretFile(const std::string& path, const std::string& text);

}  // namespace phasor::cli
