// Addresses as users write them, "host:port", "[::1]:port" or "unix:/path", and whether one can
// be served on. gRPC itself says only that binding failed; this says why. Thread-safe.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::rpc {

// INVALID_ARGUMENT with a sentence when `address` has none of the three forms.
Status CheckAddress(const std::string& address);

// FAILED_PRECONDITION names the address and the reason when it can't be bound, e.g. because
// another process listens there. A socket file that nobody serves any more is no hindrance.
Status CheckBindable(const std::string& address);

}  // namespace phasor::rpc
