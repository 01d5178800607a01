// Starting, asking to end, killing and reaping processes. A child has its own process group (so
// that Ctrl-C reaches only the parent), ends when the parent does, and logs to a file.
// To be used from one thread, the one that lives as long as the process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"

namespace phasor::cli {

// FAILED_PRECONDITION names the program and the reason. Standard output and error are appended to
// `log_file`.
StatusOr<pid_t> Spawn(const std::vector<std::string>& argv, const std::string& log_file);

void Terminate(pid_t pid);
void Kill(pid_t pid);

// A child that ended, and how: "exit code 2", "signal 9 (Killed)". nullopt: none has.
std::optional<std::pair<pid_t, std::string>> Reap();

}  // namespace phasor::cli
