// Many callers, one connection: an I/O thread collects the calls that wait, sends them together
// and reads all replies. One write to the append-only file and one fsync serve the whole batch, so
// throughput grows with the number of callers while a lone call costs one round trip.
//
// Thread-safe; Call blocks for at most the connect and command timeouts twice over. After a broken
// connection the whole batch is UNAVAILABLE (its outcome is unknown); the next call connects anew,
// with a jittered pause between attempts during which calls fail at once.
#pragma once

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/redis/redis_connection.h"

namespace phasor::redis {

class CommandPipeline {
 public:
  explicit CommandPipeline(RedisOptions options);
  // Calls that still wait get UNAVAILABLE.
  ~CommandPipeline();

  // The reply, error replies included.
  StatusOr<RedisReply> Call(const std::vector<std::string_view>& arguments);
  // Several calls at once, in the wire format; reply i for command i. Blocks as one Call does.
  std::vector<StatusOr<RedisReply>> CallAll(std::vector<std::string> commands);

 private:
  struct Pending;
  using Batch = std::vector<std::shared_ptr<Pending>>;

  bool HasWork() const REQUIRES_LOCK(mu_) { return stopped_ || !waiting_.empty(); }
  void Run();
  Batch NextBatch();  // empty: stopped
  Status EnsureConnected();
  Status Exchange(const Batch& batch, size_t* answered);

  const RedisOptions options_;

  Mutex mu_;
  std::deque<std::shared_ptr<Pending>> waiting_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;

  // Owned by the I/O thread.
  std::unique_ptr<RedisConnection> connection_;
  Status last_failure_;
  SteadyTime next_attempt_{};
  std::minstd_rand jitter_;

  std::thread thread_;
};

}  // namespace phasor::redis
