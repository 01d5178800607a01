// Asks an operations port (admin_server.h) one question, as a container's health check does that
// has no other program at hand. Stateless, thread-safe.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/tls/material.h"

namespace phasor::metrics {

struct AdminAnswer {
  int code = 0;  // of HTTP
  std::string body;
};

// How https:// is spoken: whom to trust (nothing given: the system's authorities), what to show,
// and the name to expect in place of the target's host.
struct AdminTls {
  tls::Files files = {};
  std::string server_name = {};
};

// `target` is host:port with a path behind it or none, which is /readyz; http:// or https:// may
// stand before it. INVALID_ARGUMENT: it is not that. FAILED_PRECONDITION: what is wrong with a
// certificate. UNAVAILABLE: nobody answers there in HTTP within `patience`, which bounds the
// connection and the answer as a whole each.
StatusOr<AdminAnswer> AskAdmin(const std::string& target, Millis patience,
                               const AdminTls& tls = {});

}  // namespace phasor::metrics
