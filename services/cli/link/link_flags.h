// The global flags that say where the gateways are and how they are spoken to.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The session outlives the parsing.
void AddLinkFlags(flags::Command& line, Session& session);

}  // namespace phasor::cli
