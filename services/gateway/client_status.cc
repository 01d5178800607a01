#include "services/gateway/client_status.h"

#include <atomic>
#include <chrono>
#include <string>

#include "common/log/log.h"
#include "common/rpc/status_convert.h"

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

// For many calls at once there is one line: they fail for one reason.
void LogReplaced(const Status& status) {
  static std::atomic<int64_t> last{-1};
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  if (last.exchange(now) == now) return;
  log::Warn("a client was told to come back", {{"why", status.ToString()}});
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

grpc::Status AnswerOf(const Status& status) {
  const Status told = ForClient(status);
  if (told.message() != status.message()) LogReplaced(status);
  return rpc::ToGrpc(told);
}

bool IsPassing(const Status& status) {
  const StatusCode code = ForClient(status).code();
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted;
}

}  // namespace phasor::gateway
