// Files that a person names: whatever stands behind the name is treated as a shell would treat it.
// Thread-safe (no shared state).
//
// Errors name the path and the operating system's reason. They are INVALID_ARGUMENT where reading
// fails (the argument is wrong) and UNKNOWN where writing fails: never a code that a server's
// answer could have, so that a full disk is not taken for a full queue.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor {

// A plain file is replaced whole or not at all and keeps its mode; what a link points to is
// replaced, not the link; devices and pipes are written to. In a folder that takes no new files the
// file itself is written over.
Status WriteUserFile(const std::string& path, std::string_view bytes);

// What is in a file, a pipe, a device or, for "-", standard input. At most `max_bytes`.
StatusOr<std::string> ReadUserBytes(const std::string& path, size_t max_bytes);

// The same as text: without the byte order mark that some editors write. INVALID_ARGUMENT also for
// UTF-16.
StatusOr<std::string> ReadUserText(const std::string& path, size_t max_bytes);

}  // namespace phasor
