// `phasor up`: a whole fleet on this machine, until Ctrl-C. One thread, the main one.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The command runs when the parsing ends and sets `*exit_code`; both outlive the parsing.
void AddUp(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
