// Keys in the fleet's Redis: a hash of id -> record, and how often it changed; beside it a list of
// the changes that no gateway has written into its audit log yet, the last 1,000 at most. Whoever
// may write there may make keys, and not tell (docs/security.md). Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/access/key_store.h"
#include "common/redis/command_pipeline.h"

namespace phasor::access {

class RedisKeyStore final : public KeyStore {
 public:
  // `by`: who changes keys through it (KeyChange).
  explicit RedisKeyStore(const redis::RedisOptions& options, std::string by = "")
      : key_(options.prefix + "keys"),
        changes_(options.prefix + "keys:changes"),
        by_(std::move(by)),
        pipeline_(options) {}

  Status Add(const KeyRecord& record) override;
  Status Remove(const std::string& id) override;
  StatusOr<KeyList> Read() override;
  StatusOr<std::string> Version() override;
  StatusOr<std::vector<KeyChange>> TakeChanges() override;

 private:
  const std::string key_;
  const std::string changes_;
  const std::string by_;
  redis::CommandPipeline pipeline_;
};

}  // namespace phasor::access
