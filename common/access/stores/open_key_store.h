// The store of keys that a setting names: "redis", or a file. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "common/access/key_store.h"
#include "common/redis/redis_connection.h"

namespace phasor::access {

inline constexpr char kKeysInRedis[] = "redis";

// A file need not be there yet.
std::unique_ptr<KeyStore> OpenKeyStore(const std::string& where, const redis::RedisOptions& redis);

}  // namespace phasor::access
