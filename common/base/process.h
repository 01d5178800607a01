// What a service's process asks of the operating system when it starts. Stateless.
#pragma once

#include <csignal>
#include <string>

namespace phasor {

// The machine's host name, "localhost" if it has none.
std::string HostName();

// Blocks SIGTERM and SIGINT, which the caller then waits for, and ignores SIGPIPE. Call it before
// other threads start: they inherit the mask. Returns the blocked set.
sigset_t BlockTerminationSignals();

}  // namespace phasor
