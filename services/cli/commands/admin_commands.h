// `phasor pause, resume, limits, cleanup, dead, redrive`: what those who run a fleet do to its
// queue. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; all outlive the parsing.
void AddAdminCommands(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
