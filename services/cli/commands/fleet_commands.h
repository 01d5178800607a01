// `phasor models, stats, probe`: what a fleet can do and is doing, and whether one of its processes
// is well. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; both outlive the parsing.
void AddFleetCommands(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
