#include "common/redis/open_redis.h"

#include <utility>

namespace phasor::redis {

StatusOr<RedisOptions> OpenRedis(const std::string& url, const tls::PeerFiles& files,
                                 const Clock* clock) {
  RedisOptions options;
  ASSIGN_OR_RETURN(options.address, ParseRedisUrl(url));
  options.login = files.login;
  if (const auto read = ReadLogin(options.address, files.login); !read.ok()) {
    return FailedPrecondition(Message(read.status()));
  }
  if (!options.address.tls && !files.tls.empty()) {
    return InvalidArgument("certificates for Redis go with an address that begins with rediss://");
  }
  if (options.address.tls) {
    ASSIGN_OR_RETURN(options.tls, tls::ClientContext::Open(files.tls, clock));
  }
  return options;
}

}  // namespace phasor::redis
