// Client channels to a gateway with the house's settings: keepalive that notices a dead peer
// within 30 s, reconnects after 0.1 to 2 s, no HTTP proxy. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

#include "common/base/status.h"

namespace phasor::rpc {

struct ChannelConfig {
  std::string address = "127.0.0.1:50051";  // or unix:/path
  int max_receive_bytes = 80 << 20;         // a result with all its pictures
};

// Connects lazily: an address nobody serves shows at the first call, as UNAVAILABLE.
// INVALID_ARGUMENT for a malformed address.
StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelConfig& config);

}  // namespace phasor::rpc
