#include "services/gateway/credentials.h"

#include <utility>

#include "common/access/jwt/token_checker.h"
#include "common/access/stores/open_key_store.h"

namespace phasor::gateway {

StatusOr<Credentials> OpenCredentials(const GatewayConfig& config, const redis::RedisOptions& redis,
                                      const Clock* clock) {
  Credentials opened;
  if (config.keys != "off") opened.keys = access::OpenKeyStore(config.keys, redis);
  if (config.tokens) {
    ASSIGN_OR_RETURN(opened.tokens, access::TokenChecker::Make(*config.tokens, clock));
  }
  return opened;
}

}  // namespace phasor::gateway
