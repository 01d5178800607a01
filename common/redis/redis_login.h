// Who a process is to a Redis. User and password may stand in files, which are read anew for each
// connection, so that they can be replaced. Thread-safe (no shared state).
#pragma once

#include <string>

#include "common/base/secret_file.h"
#include "common/base/status.h"
#include "common/redis/redis_url.h"

namespace phasor::redis {

struct Login {
  std::string user;      // empty: Redis's default one
  std::string password;  // empty: none is wanted
};

// What the files say before what the address says. UNAVAILABLE names a file that can't be read: it
// may be there in a moment.
StatusOr<Login> ReadLogin(const RedisAddress& address, const LoginFiles& files);

}  // namespace phasor::redis
