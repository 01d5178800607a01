// phasor-render's exit codes, which scripts rely on. Pure.
#pragma once

#include "common/base/status.h"

namespace phasor::render {

enum class ExitCode {
  kDone = 0,
  kFailed = 1,  // anything without a code of its own
  kBadArguments = 2,
  kModelUnreadable = 3,
  kDoesNotFit = 4,   // out of memory
  kInterrupted = 5,  // stopped, and a checkpoint was written
  kDeviceLost = 70,
  kStopped = 130,  // stopped without a checkpoint, as a shell reports SIGINT
};

// For errors of a request and its run; loading a model has kModelUnreadable of its own.
ExitCode ExitCodeOf(const Status& status);

// For errors of loading a model.
ExitCode ExitCodeOfLoading(const Status& status);

}  // namespace phasor::render
