// `phasor doctor`: what this machine has, and how each model would be drawn on it and on cards of
// several sizes; `phasor models plan`: what one picture would take. Both ask phasor-render on this
// machine and need no fleet. One thread.
#pragma once

#include "common/flags/command.h"
#include "services/cli/link/session.h"

namespace phasor::cli {

// The commands run when the parsing ends and set `*exit_code`; both outlive the parsing.
void AddDoctor(flags::Command& line, Session& session, int* exit_code);
void AddPlan(flags::Command& models, Session& session, int* exit_code);

}  // namespace phasor::cli
