// The process's environment, where people put what a shell or an editor gave them.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor {

// The variable without white space at its ends (a secret that came from a file ends with a line
// feed); empty if it is not set. INVALID_ARGUMENT names the variable, never its value, if a control
// character stands within. Not thread-safe against setenv.
StatusOr<std::string> ReadVariable(const std::string& name);

}  // namespace phasor
