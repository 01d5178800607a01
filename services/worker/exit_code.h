// How phasor-worker ends: its exit codes, which supervisors rely on, and the short way out.
#pragma once

#include <string>

namespace phasor::worker {

enum class ExitCode {
  kOrderly = 0,     // asked to end, or help was printed
  kStartError = 1,  // something that is needed can't be had
  kUsage = 2,       // a flag, variable or file of settings is wrong
  kDeviceLost = 70  // the device is gone or a unit of work hung: start the process anew
};

// Says why in a sentence and ends the process with kDeviceLost, without destructors. A log that
// nobody reads does not keep it: then nothing is said.
[[noreturn]] void EndProcessAtOnce(const std::string& why);

}  // namespace phasor::worker
