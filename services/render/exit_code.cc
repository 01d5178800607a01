#include "services/render/exit_code.h"

namespace phasor::render {

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return ExitCode::kDone;
    case StatusCode::kInvalidArgument:
      return ExitCode::kBadArguments;
    case StatusCode::kResourceExhausted:
      return ExitCode::kDoesNotFit;
    default:
      return ExitCode::kFailed;
  }
}

ExitCode ExitCodeOfLoading(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted ? ExitCode::kDoesNotFit
                                                         : ExitCode::kModelUnreadable;
}

}  // namespace phasor::render
