// `phasor keys create, list, revoke`: who may call a fleet. They go to the store of keys itself, a
// file or Redis, and not through a gateway: so the first key needs no key, and whoever may write
// there may make keys. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; all outlive the parsing.
void AddKeyCommands(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
