// What the queue in Redis stands on. Each call makes a connection of its own, so that it sees where
// the name leads now; it is asked seldom. Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/queue/foundation.h"
#include "common/redis/redis_connection.h"

namespace phasor::queue {

class RedisFoundation final : public Foundation {
 public:
  // `connections`: how many the queue has made.
  RedisFoundation(redis::RedisOptions options, std::function<int64_t()> connections)
      : options_(std::move(options)), connections_(std::move(connections)) {}

  // Asks for the version, the memory policy, the append-only file, and the user's permissions. The
  // latter while anything is wrong, after the queue has made a connection, and every two minutes.
  StatusOr<Footing> Check() override;
  // The facts are fields of the hash `fleet`.
  StatusOr<std::string> Agree(const std::string& fact, const std::string& value) override;
  int64_t connections() const override { return connections_(); }

 private:
  // For which connections of the queue the permissions were there, and until when they are
  // believed to be.
  struct Permitted {
    int64_t connections = -1;
    SteadyTime until{};
  };
  bool PermissionsAreDue(int64_t connections);
  // FAILED_PRECONDITION names what the user lacks, and the rules that it needs. The connection
  // listens afterwards, and is good for nothing else.
  Status CheckPermissions(redis::RedisConnection& connection);

  const redis::RedisOptions options_;
  const std::function<int64_t()> connections_;

  Mutex mu_;
  Permitted permitted_ GUARDED_BY(mu_);
};

}  // namespace phasor::queue
