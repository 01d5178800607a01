// `phasor worker list, drain, migrate`: the workers of a fleet. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; all outlive the parsing.
void AddWorkerCommands(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
