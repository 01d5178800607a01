// The operations port: /metrics, /healthz (the process runs) and /readyz (it can serve), plain
// HTTP on a thread of its own. Clients that send half a request or do not read cost the others
// nothing, and are hung up on after some seconds. Thread-safe; `ready` runs on the server's thread
// and must not block.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/status.h"
#include "common/metrics/registry.h"

namespace phasor::metrics {

class AdminServer {
 public:
  // OK, or why the process can't serve now: the body of a 503.
  using Readiness = std::function<Status()>;

  // `address` is "host:port"; port 0 picks a free one. FAILED_PRECONDITION names an address that
  // can't be bound, INVALID_ARGUMENT one that is malformed. `registry` outlives the server.
  static StatusOr<std::unique_ptr<AdminServer>> Start(const std::string& address,
                                                      const Registry* registry, Readiness ready);
  // Waits for calls in progress.
  ~AdminServer();

  int port() const;

 private:
  struct State;
  explicit AdminServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace phasor::metrics
