// Bytes that carry a user's words, in a form that shows none of them to a passing eye and takes
// less room: each byte masked, then, where that makes it shorter, deflated. No encryption: whoever
// can read Redis can undo it. Unpack takes hostile input. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor::rpc {

inline constexpr size_t kMaxSpecBytes = 4 << 20;  // unpacked

std::string PackSpec(std::string plain);
// INVALID_ARGUMENT for what PackSpec did not make and for what would be over the limit.
StatusOr<std::string> UnpackSpec(std::string_view packed);

}  // namespace phasor::rpc
