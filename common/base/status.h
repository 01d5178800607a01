// Status, StatusOr and the error factories used in every signature outside the engine's inside.
//
// The types are abseil's; this header is the only place that names abseil's status, because
// Debian's absl::string_view does not convert from std::string_view. Factories take std::string.
// Thread-safe (values).
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace phasor {

using absl::StatusOr;
using Status = absl::Status;
using StatusCode = absl::StatusCode;

inline Status OkStatus() { return absl::OkStatus(); }

inline Status MakeStatus(StatusCode code, const std::string& message) { return {code, message}; }
inline Status InvalidArgument(const std::string& m) { return absl::InvalidArgumentError(m); }
inline Status NotFound(const std::string& m) { return absl::NotFoundError(m); }
inline Status AlreadyExists(const std::string& m) { return absl::AlreadyExistsError(m); }
inline Status FailedPrecondition(const std::string& m) { return absl::FailedPreconditionError(m); }
inline Status ResourceExhausted(const std::string& m) { return absl::ResourceExhaustedError(m); }
inline Status Unavailable(const std::string& m) { return absl::UnavailableError(m); }
inline Status DeadlineExceeded(const std::string& m) { return absl::DeadlineExceededError(m); }
inline Status Aborted(const std::string& m) { return absl::AbortedError(m); }
inline Status Cancelled(const std::string& m) { return absl::CancelledError(m); }
inline Status DataLoss(const std::string& m) { return absl::DataLossError(m); }
inline Status Unimplemented(const std::string& m) { return absl::UnimplementedError(m); }
inline Status Internal(const std::string& m) { return absl::InternalError(m); }

// The message as a std::string.
inline std::string Message(const Status& status) { return std::string(status.message()); }

// The same code, with `prefix` and a colon before the message. OK stays OK.
inline Status Annotate(const Status& status, const std::string& prefix) {
  if (status.ok()) return status;
  Status annotated(status.code(), prefix + ": " + Message(status));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

// Marks a message as fit for those outside the fleet: it names no address, path or key of the
// fleet's. What is not marked and not about the caller's request is replaced before it leaves
// (services/gateway/flow/client_status.h).
inline constexpr char kPublicMark[] = "phasor/public";
inline Status Public(Status status) {
  if (!status.ok()) status.SetPayload(kPublicMark, absl::Cord("1"));
  return status;
}
inline bool IsPublic(const Status& status) { return status.GetPayload(kPublicMark).has_value(); }

}  // namespace phasor

#define PHASOR_CONCAT_INNER(a, b) a##b
#define PHASOR_CONCAT(a, b) PHASOR_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expr)                               \
  do {                                                      \
    if (::phasor::Status status_ = (expr); !status_.ok()) { \
      return status_;                                       \
    }                                                       \
  } while (false)

#define ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                          \
  if (!tmp.ok()) return tmp.status();         \
  lhs = std::move(tmp).value()

#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(PHASOR_CONCAT(status_or_, __LINE__), lhs, expr)
