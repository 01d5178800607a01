// Where a Redis is: unix:///path/to/socket, redis://[[user]:password@]host[:port], or, where
// Sentinels know which one is the master,
// redis-sentinel://[[user]:password@]host[:port],host[:port]
// ...?master=NAME; the last two with TLS as rediss:// and rediss-sentinel://. Each with an optional
// database number (unix:///path?db=1, redis://host/1). Password and user may be percent-encoded.
// Values; the text form never shows the password.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::redis {

struct RedisAddress {
  // Of Sentinels, which are asked in this order; empty: none is.
  struct Sentinel {
    std::string host;
    int port = 26379;
    bool operator==(const Sentinel&) const = default;
  };
  std::vector<Sentinel> sentinels;
  std::string master;  // what they call it
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
