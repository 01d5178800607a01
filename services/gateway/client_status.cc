#include "services/gateway/client_status.h"

#include "common/rpc/status_convert.h"

namespace phasor::gateway {
namespace {

constexpr Millis kRetryWhenAway{1'000};
constexpr Millis kRetryWhenFull{2'000};

Status WithSomeRetry(const Status& status, Millis delay) {
  return rpc::RetryAfterOf(status) ? status : rpc::WithRetryAfter(status, delay);
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
      return WithSomeRetry(status, kRetryWhenFull);
    case StatusCode::kUnavailable:
      return WithSomeRetry(status, kRetryWhenAway);
    default:
      return rpc::WithRetryAfter(Unavailable(Message(status)), kRetryWhenAway);
  }
}

grpc::Status AnswerOf(const Status& status) { return rpc::ToGrpc(ForClient(status)); }

bool IsPassing(const Status& status) {
  const StatusCode code = ForClient(status).code();
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted;
}

}  // namespace phasor::gateway
