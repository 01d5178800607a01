// Where a Redis is: unix:///path/to/socket, redis://[[user]:password@]host[:port] or, with TLS, the
// same with rediss://; each with
// an optional database number (unix:///path?db=1, redis://host/1). Password and user may be
// percent-encoded. Values; the text form never shows the password.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::redis {

struct RedisAddress {
  std::string socket;  // path of a unix socket; empty: host and port
  std::string host;
  int port = 6379;
  std::string user;
  std::string password;
  int database = 0;
  bool tls = false;
};

StatusOr<RedisAddress> ParseRedisUrl(const std::string& url);

// For error messages.
std::string ToString(const RedisAddress& address);

}  // namespace phasor::redis
