// What a gateway checks credentials against, as its settings say. Of the program alone: the gateway
// itself takes the ports.
#pragma once

#include <memory>

#include "common/access/authenticator.h"
#include "common/redis/redis_connection.h"
#include "services/gateway/config.h"

namespace phasor::gateway {

struct Credentials {
  std::unique_ptr<access::KeyStore> keys;         // null: none are taken
  std::unique_ptr<access::TokenVerifier> tokens;  // likewise
};

// `clock` outlives them.
StatusOr<Credentials> OpenCredentials(const GatewayConfig& config, const redis::RedisOptions& redis,
                                      const Clock* clock);

}  // namespace phasor::gateway
