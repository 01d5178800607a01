// Client channels to a gateway with the house's settings: pings that notice a dead peer, reconnects
// after 0.1 to 2 s, no HTTP proxy. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/client_tls.h"
#include "common/rpc/credential.h"

namespace phasor::rpc {

struct ChannelConfig {
  std::string address = "127.0.0.1:50051";  // or unix:/path; grpcs:// before it: with TLS
  int max_receive_bytes = 80 << 20;         // a result with all its pictures
  // A peer that does not answer a ping in time is dead: its calls end with UNAVAILABLE. Servers
  // allow a ping each second.
  Millis ping_every{20'000};
  Millis ping_timeout{10'000};
  // Goes with every call; null: none does.
  std::shared_ptr<Credential> credential = {};
  // Certificates that are replaced are used for the next connection; those that stand, stand.
  ClientTls tls = {};
};

// Connects lazily: an address nobody serves shows at the first call, as UNAVAILABLE.
// INVALID_ARGUMENT for a malformed address.
StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelConfig& config);

}  // namespace phasor::rpc
