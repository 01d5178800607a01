// Wall time in words, in UTC whatever the machine's time zone is. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace phasor {

// `format` as strftime has it, for fewer than 64 characters; milliseconds are left out.
std::string UtcText(int64_t wall_millis, const char* format);

}  // namespace phasor
