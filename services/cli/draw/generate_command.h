// `phasor generate`: submits one job per prompt, follows them, writes their pictures, perhaps a
// sheet of all. Ctrl-C cancels what has not ended. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The command runs when the parsing ends and sets `*exit_code`; both outlive the parsing.
void AddGenerate(flags::Command& line, Session& session, int* exit_code);

}  // namespace phasor::cli
