// Secrets on the command line, where everybody who runs ps reads them. Pure.
#pragma once

#include "common/base/status.h"

namespace phasor::config {

// INVALID_ARGUMENT: a flag's URL has a password; the sentence names the flag and where else the
// password may stand, and does not repeat it.
Status RefusePasswords(int argc, const char* const* argv);

}  // namespace phasor::config
