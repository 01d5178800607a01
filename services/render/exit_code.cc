#include "services/render/exit_code.h"

#include "engine/api/device_lost.h"

namespace phasor::render {

ExitCode ExitCodeOf(const Status& status) {
  if (engine::IsDeviceLost(status)) return ExitCode::kDeviceLost;
  switch (status.code()) {
    case StatusCode::kOk:
      return ExitCode::kDone;
    case StatusCode::kInvalidArgument:
      return ExitCode::kBadArguments;
    case StatusCode::kResourceExhausted:
      return ExitCode::kDoesNotFit;
    case StatusCode::kCancelled:
      return ExitCode::kStopped;
    default:
      return ExitCode::kFailed;
  }
}

ExitCode ExitCodeOfLoading(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted ? ExitCode::kDoesNotFit
                                                         : ExitCode::kModelUnreadable;
}

}  // namespace phasor::render
