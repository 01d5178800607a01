// The gateway put together from its ports: flows, services, streams, background roles and the gRPC
// server. main gives it Redis and a store; tests give it memory. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/access/authenticator.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/model_folder.h"
#include "common/metrics/registry.h"
#include "common/queue/foundation.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "common/trace/span.h"
#include "services/gateway/config.h"
#include "services/gateway/fleet_gate.h"

namespace phasor::gateway {

class Gateway {
 public:
  // All outlive the gateway.
  struct Ports {
    queue::Producer* producer = nullptr;
    queue::Maintenance* maintenance = nullptr;
    queue::Control* control = nullptr;
    queue::EventChannel* events = nullptr;
    storage::ResultStore* store = nullptr;
    const Clock* clock = nullptr;
    metrics::Registry* metrics = nullptr;
    queue::Foundation* foundation = nullptr;  // null: it is not checked
    // Without both nobody needs a credential.
    access::KeyStore* keys = nullptr;
    access::TokenVerifier* tokens = nullptr;
    trace::SpanSink* spans = nullptr;  // null: none are made
  };

  // Serves when it returns. Errors: the address can't be bound; the foundation answers and is
  // wrong. One that does not answer yet is waited for: until it does nothing is served.
  static StatusOr<std::unique_ptr<Gateway>> Start(const GatewayConfig& config,
                                                  const std::string& secret,
                                                  config::ModelFolder models, const Ports& ports);
  // Stops as Shutdown does.
  ~Gateway();

  // Where it listens for clients, with the port it got.
  const std::string& address() const { return address(Audience::kClients); }
  const std::string& address(Audience audience) const;
  // OK, or why it can't serve now.
  Status ready();
  // Not OK: the foundation's first answer came after the start and was wrong; end the process.
  Status refused() const;

  // Takes no call any more, ends streams with UNAVAILABLE so that clients go elsewhere, waits up
  // to the configured grace for calls in progress. Idempotent.
  void Shutdown();

 private:
  struct Parts;
  Gateway(std::unique_ptr<FleetGate> gate, std::unique_ptr<Parts> parts);
  std::unique_ptr<FleetGate> gate_;  // outlives the parts
  std::unique_ptr<Parts> parts_;
};

}  // namespace phasor::gateway
