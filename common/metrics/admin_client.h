// Asks an operations port (admin_server.h) one question, as a container's health check does that
// has no other program at hand. Stateless, thread-safe.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace phasor::metrics {

struct AdminAnswer {
  int code = 0;  // of HTTP
  std::string body;
};

// `target` is host:port with a path behind it or none, which is /readyz; http:// may stand before
// it. INVALID_ARGUMENT: it is not that. UNAVAILABLE: nobody answers there in HTTP within
// `patience`, which bounds the connection and the answer as a whole each.
StatusOr<AdminAnswer> AskAdmin(const std::string& target, Millis patience);

}  // namespace phasor::metrics
