// The operations port: /metrics, /healthz (the process runs) and /readyz (it can serve), in HTTP or
// HTTPS on a thread of its own. Clients that send half a request or do not read cost the others
// nothing, and are hung up on after some seconds. Thread-safe; `ready` runs on the server's thread
// and must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/tls/material.h"

namespace phasor::metrics {

struct AdminAddress {
  std::string address;  // "host:port"; port 0 picks a free one
  // Certificate and key, replaced while the server runs; who may vouch for clients, who must show
  // a certificate then. None: plain text.
  tls::Files tls = {};
  // Hears, on the server's thread, of a certificate that was replaced by a wrong one.
  std::function<void(const Status&)> on_trouble = [](const Status&) {};
};

class AdminServer {
 public:
  // OK, or why the process can't serve now: the body of a 503.
  using Readiness = std::function<Status()>;

  // FAILED_PRECONDITION names an address that can't be bound, or says what is wrong with the
  // certificate; INVALID_ARGUMENT names an address that is malformed. Registry and clock outlive
  // the server.
  static StatusOr<std::unique_ptr<AdminServer>> Start(const AdminAddress& at,
                                                      const Registry* registry, Readiness ready,
                                                      const Clock* clock);
  // Waits for calls in progress.
  ~AdminServer();

  int port() const;

 private:
  struct State;
  explicit AdminServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace phasor::metrics
