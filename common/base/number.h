// Numbers as people write them: decimal always ("010" is ten), whole, finite, in bounds; never
// rounded, wrapped around or cut short. Pure functions. Errors are INVALID_ARGUMENT with what is
// wrong as a phrase ("must be between 1 and 8, got 9"), for the caller to say of what.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor {

StatusOr<int64_t> ParseSigned(std::string_view text, int64_t low, int64_t high);
StatusOr<uint64_t> ParseUnsigned(std::string_view text, uint64_t low, uint64_t high);

template <typename T>
StatusOr<T> ParseWhole(std::string_view text, T low = std::numeric_limits<T>::min(),
                       T high = std::numeric_limits<T>::max()) {
  if constexpr (std::numeric_limits<T>::is_signed) {
    ASSIGN_OR_RETURN(const int64_t value, ParseSigned(text, low, high));
    return static_cast<T>(value);
  } else {
    ASSIGN_OR_RETURN(const uint64_t value, ParseUnsigned(text, low, high));
    return static_cast<T>(value);
  }
}

StatusOr<double> ParseNumber(std::string_view text, double low, double high);

// As short as reads back as the same number: "7.5", "100000", "1e+300".
std::string NumberText(double value);

}  // namespace phasor
