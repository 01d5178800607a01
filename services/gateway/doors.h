// The gRPC servers of a gateway's listeners: each serves what its callers need and nothing else.
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/rpc/server.h"
#include "services/gateway/listeners.h"

namespace phasor::gateway {

class Doors {
 public:
  struct Services {
    std::vector<grpc::Service*> clients;
    std::vector<grpc::Service*> operators;
    std::vector<grpc::Service*> workers;
  };
  struct Frame {
    std::vector<Listener> listeners;
    std::shared_ptr<tls::Source> source;  // the certificate of all; null: plain text
    metrics::Registry* metrics = nullptr;
    decltype(rpc::ServerConfig::gate) gate;
  };
  // Services and registry outlive the doors. Errors as of rpc::Server::Start; then none is open.
  static StatusOr<std::unique_ptr<Doors>> Open(const Frame& frame, const Services& services);

  // Where the audience is served, with the port that the server got.
  const std::string& address(Audience audience) const;
  void SetServing(bool serving);
  // All at once: no call is accepted any more; waits up to `grace` for those in progress.
  void Shutdown(Millis grace);

 private:
  struct Door {
    Listener listener;
    std::unique_ptr<rpc::Server> server;
  };
  std::vector<Door> doors_;
};

}  // namespace phasor::gateway
