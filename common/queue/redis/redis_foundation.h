// What the queue in Redis stands on. Each call makes a connection of its own, so that it sees where
// the name leads now; it is asked seldom. Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "common/queue/foundation.h"
#include "common/redis/redis_connection.h"

namespace phasor::queue {

class RedisFoundation final : public Foundation {
 public:
  // `connections`: how many the queue has made.
  RedisFoundation(redis::RedisOptions options, std::function<int64_t()> connections)
      : options_(std::move(options)), connections_(std::move(connections)) {}

  // Asks for the version, the memory policy, the append-only file, and the user's permissions.
  StatusOr<Footing> Check() override;
  // The facts are fields of the hash `fleet`.
  StatusOr<std::string> Agree(const std::string& fact, const std::string& value) override;
  int64_t connections() const override { return connections_(); }

 private:
  // FAILED_PRECONDITION names what the user lacks, and the rules that it needs.
  Status CheckPermissions();

  const redis::RedisOptions options_;
  const std::function<int64_t()> connections_;
};

}  // namespace phasor::queue
