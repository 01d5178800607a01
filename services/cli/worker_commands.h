// `phasor worker list, drain, migrate`: the workers of a fleet. One thread.
#pragma once

#include <CLI/App.hpp>

#include "services/cli/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; all outlive the parsing.
void AddWorkerCommands(CLI::App& app, Session& session, int* exit_code);

}  // namespace phasor::cli
