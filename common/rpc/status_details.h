// The rich details of a Status that travel to clients: google.rpc.BadRequest (which fields are
// wrong) and google.rpc.RetryInfo (when to try again), as payloads of the Status. Knows no
// transport. Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/field_violation.h"
#include "common/base/status.h"

namespace phasor::rpc {

// INVALID_ARGUMENT whose message names the first field and how many others there are.
// `violations` is not empty.
Status InvalidFields(const std::vector<FieldViolation>& violations);
// Empty if the status carries none.
std::vector<FieldViolation> FieldViolationsOf(const Status& status);

Status WithRetryAfter(Status status, Millis delay);
std::optional<Millis> RetryAfterOf(const Status& status);

}  // namespace phasor::rpc
