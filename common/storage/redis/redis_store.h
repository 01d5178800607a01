// The result store in Redis, for small results: pictures that may be lost with the Redis that
// holds them, or on trial. Not durable beyond what that Redis is (append-only file, replicas).
//
// Layout, below one prefix whose braces keep it in one cluster slot:
//   o:<key>   time of writing in ms, '\n', the bytes; blobs and records live their own time
//   index     sorted set of all keys, in the order of their bytes: what List walks without SCAN
// An object that expires leaves its name in the index until a listing meets it.
//
// Thread-safe: all threads share one pipelined connection. A Redis that evicts keys is refused at
// the start, because it could forget how a job ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/redis/command_pipeline.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

inline constexpr char kRedisStorePrefix[] = "{phasor-store}:";

struct RedisStoreOptions {
  redis::RedisOptions redis = {.address = {}, .prefix = kRedisStorePrefix};
  size_t max_blob_bytes = size_t{16} << 20;  // larger ones are RESOURCE_EXHAUSTED
  Millis blob_ttl{72 * 3'600'000};           // zero: for ever; also of checkpoints
  Millis record_ttl{30 * 24 * 3'600'000LL};  // zero: for ever; never shorter than the blobs'
};

class RedisStore final : public ResultStore {
 public:
  // UNAVAILABLE if Redis does not answer, FAILED_PRECONDITION if it cannot be used.
  static StatusOr<std::unique_ptr<RedisStore>> Open(const RedisStoreOptions& options);

  Status Put(const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Get(const std::string& key) override;
  Status Delete(const std::string& key) override;
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor, int limit) override;
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override;
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override;
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override;

 private:
  explicit RedisStore(const RedisStoreOptions& options);
  Status CheckServer();
  std::string ObjectKey(const std::string& key) const;
  // Runs a script on the object `key` and the index; its name and `arguments` follow.
  StatusOr<redis::RedisReply> Run(std::string_view script, const std::string& key,
                                  const std::vector<std::string_view>& arguments);
  StatusOr<redis::RedisReply> Command(const std::vector<std::string_view>& arguments);
  // Objects with the times that Redis holds; names whose objects have expired are forgotten.
  StatusOr<std::vector<StoredObject>> Look(std::vector<std::string> keys);

  const RedisStoreOptions options_;
  const std::string index_;
  redis::CommandPipeline pipeline_;
};

}  // namespace phasor::storage
