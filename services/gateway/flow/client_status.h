// What a client is told when the queue or the store fails. A backend that is slow, full, restarting
// or confused is never the client's fault and never INTERNAL: the call is worth repeating with the
// same key, and the answer says when. It does not say where the backend is or what it is called:
// that is for the log. Thread-safe.
#pragma once

#include "common/base/status.h"

namespace phasor::gateway {

// Codes that speak about the request pass (INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS,
// FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, CANCELLED, and DATA_LOSS, which repeating does
// not mend); RESOURCE_EXHAUSTED and UNAVAILABLE get a RetryInfo where they have none; everything
// else becomes UNAVAILABLE with one. Messages of the last three are replaced unless they are Public
// or have a RetryInfo. Pure.
Status ForClient(const Status& status);

// True for what may be over at the next try.
bool IsPassing(const Status& status);

}  // namespace phasor::gateway
