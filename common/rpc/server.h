// A gRPC server with the house's settings: message limits, keepalive policy, health service and
// reflection, call metrics. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/server_interceptor.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/tls/source.h"

namespace grpc {
class Server;
}  // namespace grpc

namespace phasor::rpc {

struct ServerConfig {
  std::string address = "127.0.0.1:50051";  // port 0: a free one; or unix:/path
  // Per message. gRPC itself refuses larger ones, as RESOURCE_EXHAUSTED and without a word of what
  // is too long, so it is well above what the services take: they name the field.
  int max_receive_bytes = 16 << 20;
  // What gRPC may take for its connections and for messages that it has not handed on yet; beyond
  // it reads wait and calls are refused.
  size_t max_buffer_bytes = size_t{512} << 20;
  // Full names of services, whose health may be asked about one by one.
  std::vector<std::string> names = {};
  // For operators: the services' descriptions and what the process knows of its connections.
  bool reflection = true;
  // Its certificate, and the authorities that clients' certificates are checked against. Null:
  // plain text. What is replaced there is used for the connections that come after.
  std::shared_ptr<tls::Source> tls = {};
  bool client_certificates = false;      // only clients with a certificate are let in
  metrics::Registry* metrics = nullptr;  // outlives the server; null: none
  // Makes what judges calls before they reach their services, and before they are counted; what it
  // makes outlives nothing. Null: all calls are let in.
  std::function<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>()> gate =
      nullptr;
};

// What probes that can ask about a name alone, as Kubernetes' gRPC probes do, ask about.
inline constexpr char kLiveness[] = "liveness";
inline constexpr char kReadiness[] = "readiness";

class Server {
 public:
  // `services` outlive the server. The health service says NOT_SERVING until SetServing(true), of
  // the server as a whole, of kReadiness and of each name; of kLiveness it says SERVING for as long
  // as the process answers.
  // Errors as of CheckBindable.
  static StatusOr<std::unique_ptr<Server>> Start(const ServerConfig& config,
                                                 const std::vector<grpc::Service*>& services);
  // Cancels what runs, unless Shutdown was called.
  ~Server();

  // Where it listens, with the port it got.
  const std::string& address() const { return address_; }
  void SetServing(bool serving);
  // Accepts no call any more, waits up to `grace` for those in progress, then cancels them.
  void Shutdown(Millis grace);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::string address);

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace phasor::rpc
