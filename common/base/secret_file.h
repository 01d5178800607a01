// Files that hold one secret each and nothing else, as clusters mount them. Stateless.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor {

// Paths of files with a user and a password; empty: none.
struct LoginFiles {
  std::string user = {};
  std::string password = {};
};

// Its text without the end of the line. UNAVAILABLE names a file that is missing or empty, has
// several lines or more than 64 KiB: whoever replaces secrets may be about to write it.
StatusOr<std::string> ReadSecretFile(const std::string& path);

}  // namespace phasor
