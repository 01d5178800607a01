// phasor::Status to grpc::Status and back, with the rich details that gRPC carries in
// grpc-status-details-bin: google.rpc.BadRequest (which fields are wrong) and google.rpc.RetryInfo
// (when to try again). Inside a process the details travel as payloads of the Status.
// The only place that knows grpc::Status. Pure functions.
#pragma once

#include <optional>
#include <vector>

#include <grpcpp/support/status.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/job/generate_spec.h"

namespace phasor::rpc {

// Messages are cut at 1 KiB and at most 64 field violations are kept: they travel in headers.
grpc::Status ToGrpc(const Status& status);
Status FromGrpc(const grpc::Status& status);

// INVALID_ARGUMENT whose message names the first field and how many others there are.
// `violations` is not empty.
Status InvalidFields(const std::vector<job::FieldViolation>& violations);
// Empty if the status carries none.
std::vector<job::FieldViolation> FieldViolationsOf(const Status& status);

Status WithRetryAfter(Status status, Millis delay);
std::optional<Millis> RetryAfterOf(const Status& status);

}  // namespace phasor::rpc
