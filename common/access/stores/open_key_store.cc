#include "common/access/stores/open_key_store.h"

#include "common/access/stores/file_key_store.h"
#include "common/access/stores/redis_key_store.h"

namespace phasor::access {

std::unique_ptr<KeyStore> OpenKeyStore(const std::string& where, const redis::RedisOptions& redis) {
  if (where == kKeysInRedis) return std::make_unique<RedisKeyStore>(redis);
  return std::make_unique<FileKeyStore>(where);
}

}  // namespace phasor::access
