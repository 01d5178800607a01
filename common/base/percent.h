// Percent-encoding of the parts of a URL (RFC 3986, section 2.1). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor {

// A path within a URL: everything but letters, digits and "/-._~" becomes "%XX".
std::string PercentEncode(std::string_view path);

// INVALID_ARGUMENT where '%' is not followed by two hexadecimal digits.
StatusOr<std::string> PercentDecode(std::string_view text);

}  // namespace phasor
