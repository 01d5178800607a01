// `phasor submit, watch, get, cancel, jobs`: jobs one by one. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; both outlive the parsing.
void AddJobCommands(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
