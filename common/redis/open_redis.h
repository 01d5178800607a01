// From what a program was told of its Redis to what connections need. Stateless.
#pragma once

#include <string>

#include "common/redis/redis_connection.h"
#include "common/tls/peer_files.h"

namespace phasor::redis {

// Connects to nothing. INVALID_ARGUMENT names the part of the URL that is wrong, or files for TLS
// with a URL that asks for none; FAILED_PRECONDITION what is wrong with a file. The clock outlives
// the options.
StatusOr<RedisOptions> OpenRedis(const std::string& url, const tls::PeerFiles& files,
                                 const Clock* clock);

}  // namespace phasor::redis
