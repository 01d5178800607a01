// phasor-worker's exit codes, which supervisors rely on.
#pragma once

namespace phasor::worker {

enum class ExitCode {
  kOrderly = 0,     // asked to end, or help was printed
  kStartError = 1,  // something that is needed can't be had
  kUsage = 2,       // a flag, variable or file of settings is wrong
  kDeviceLost = 70  // the device is gone or a unit of work hung: start the process anew
};

}  // namespace phasor::worker
