// `phasor models, stats`: what a fleet can do and is doing. One thread.
#pragma once

#include <CLI/App.hpp>

#include "services/cli/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; both outlive the parsing.
void AddFleetCommands(CLI::App& app, Session& session, int* exit_code);

}  // namespace phasor::cli
