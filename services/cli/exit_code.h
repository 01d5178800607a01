// What `phasor` tells the shell. Scripts depend on these numbers; docs/cli.md lists them.
// Pure functions.
#pragma once

#include "common/base/status.h"
#include "phasor/v1/types.pb.h"

namespace phasor::cli {

enum ExitCode {
  kOk = 0,
  kFailed = 1,       // the job failed or expired, a file can't be written, anything unforeseen
  kUsage = 2,        // wrong arguments, whether `phasor` or the gateway finds it
  kUnreachable = 3,  // no gateway answers
  kNotFound = 4,     // no such job, model or worker
  kCanceled = 5,     // the job was cancelled, also by Ctrl-C
  kRefused = 6,      // not now: the queue is full or a quota is spent
  kDenied = 7,       // no credential, a wrong one, or one without the role
};

ExitCode ExitCodeOf(const Status& status);
// Of a job that has ended.
ExitCode ExitCodeOf(const v1::Job& job);

}  // namespace phasor::cli
