// `phasor verify`: draws a picture again as it says it was drawn, through the fleet or on this
// machine, and says whether it is the same. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The command runs when the parsing ends and sets `*exit_code`; both outlive the parsing.
void AddVerify(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
