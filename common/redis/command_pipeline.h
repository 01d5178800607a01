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
  // Calls that differ in their last arguments alone. Those that wait together, whoever made them,
  // become one command: `head`, then the arguments of each call. Its reply is to be a list with an
  // element for each; any other reply is that of every call.
  std::vector<StatusOr<RedisReply>> CallShared(const std::vector<std::string_view>& head,
                                               const std::vector<std::vector<std::string>>& calls);

 private:
  struct Pending;
  using Batch = std::vector<std::shared_ptr<Pending>>;
  using Message = std::vector<Pending*>;  // the calls that one command stands for

  bool HasWork() const REQUIRES_LOCK(mu_) { return stopped_ || !waiting_.empty(); }
  std::vector<StatusOr<RedisReply>> Wait(const Batch& calls);
  void Run();
  Batch NextBatch();  // empty: stopped
  Status EnsureConnected();
  static std::vector<Message> Merge(const Batch& batch);
  Status Exchange(const Batch& batch);

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
