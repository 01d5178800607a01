// Keys in the fleet's Redis: a hash of id -> record, and how often it changed. Whoever may write
// there may make keys (docs/security.md). Thread-safe.
#pragma once

#include <string>

#include "common/access/key_store.h"
#include "common/redis/command_pipeline.h"

namespace phasor::access {

class RedisKeyStore final : public KeyStore {
 public:
  explicit RedisKeyStore(const redis::RedisOptions& options)
      : key_(options.prefix + "keys"), pipeline_(options) {}

  Status Add(const KeyRecord& record) override;
  Status Remove(const std::string& id) override;
  StatusOr<KeyList> Read() override;
  StatusOr<std::string> Version() override;

 private:
  const std::string key_;
  redis::CommandPipeline pipeline_;
};

}  // namespace phasor::access
