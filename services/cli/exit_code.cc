#include "services/cli/exit_code.h"

namespace phasor::cli {

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return kOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kAlreadyExists:
    case StatusCode::kUnimplemented:
      return kUsage;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
      return kUnreachable;
    case StatusCode::kNotFound:
      return kNotFound;
    case StatusCode::kCancelled:
      return kCanceled;
    case StatusCode::kResourceExhausted:
      return kRefused;
    case StatusCode::kUnauthenticated:
    case StatusCode::kPermissionDenied:
      return kDenied;
    default:
      return kFailed;
  }
}

ExitCode ExitCodeOf(const v1::Job& job) {
  if (job.state() == v1::DONE) return kOk;
  return job.state() == v1::CANCELED ? kCanceled : kFailed;
}

}  // namespace phasor::cli
