#include "services/gateway/flow/client_status.h"

#include <string>

#include "common/rpc/status_details.h"

namespace phasor::gateway {
namespace {

constexpr Millis kRetryWhenAway{1'000};
constexpr Millis kRetryWhenFull{2'000};

constexpr char kAway[] =
    "the queue or the result store does not answer as it should; call again, with the same "
    "idempotency key";
constexpr char kFull[] =
    "the fleet's memory or disk is full: it takes nothing new until something is done or expires";

Status WithSomeRetry(StatusCode code, const std::string& words, const Status& status,
                     Millis delay) {
  if (rpc::RetryAfterOf(status)) return status;
  return rpc::WithRetryAfter(IsPublic(status) ? status : MakeStatus(code, words), delay);
}

}  // namespace

Status ForClient(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kOutOfRange:
    case StatusCode::kUnimplemented:
    case StatusCode::kCancelled:
    case StatusCode::kDataLoss:
      return status;
    case StatusCode::kResourceExhausted:
      return WithSomeRetry(status.code(), kFull, status, kRetryWhenFull);
    case StatusCode::kUnavailable:
      return WithSomeRetry(status.code(), kAway, status, kRetryWhenAway);
    default:
      return rpc::WithRetryAfter(Unavailable(kAway), kRetryWhenAway);
  }
}

bool IsPassing(const Status& status) {
  const StatusCode code = ForClient(status).code();
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted;
}

}  // namespace phasor::gateway
