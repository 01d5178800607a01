// `phasor models, stats`: what a fleet can do and is doing. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; both outlive the parsing.
void AddFleetCommands(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
