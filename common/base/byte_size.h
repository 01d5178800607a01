// Amounts of memory as people write them: "4GiB", "512MiB", "1.5GiB". Binary units only: KiB, MiB,
// GiB, TiB, PiB and EiB. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor {

// INVALID_ARGUMENT with what is wrong as a phrase ("must be between 1MiB and 1PiB, got 10EiB"), for
// the caller to say of what. A number without a unit is refused, but for 0.
StatusOr<uint64_t> ParseByteSize(std::string_view text, uint64_t low, uint64_t high);

// In the largest unit that leaves a number above 1, with up to two decimals: "4GiB", "1.25MiB",
// "300B".
std::string ByteSizeText(uint64_t bytes);

}  // namespace phasor
