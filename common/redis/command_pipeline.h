// Many callers, one connection. The calls that wait travel together: one of their callers sends
// them all and reads the replies, the others sleep; then the first of those that came meanwhile
// does so for the next ones. One write to the append-only file and one fsync serve all of them, so
// throughput grows with the number of callers, while a lone call is made on its caller's thread.
//
// Thread-safe; Call blocks for at most the connect and command timeouts twice over. After a broken
// connection all that were sent are UNAVAILABLE (their outcome is unknown); the next call connects
// anew, with a jittered pause between attempts during which calls fail at once. So it is after an
// answer of a server that is not the one to talk to (IsWrongServer): after a failover the old
// master may live on as a replica, and nothing else would ever make us leave it. Outlives its
// calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/redis/redis_connection.h"

namespace phasor::redis {

class CommandPipeline {
 public:
  explicit CommandPipeline(RedisOptions options);

  // The reply, error replies included.
  StatusOr<RedisReply> Call(const std::vector<std::string_view>& arguments);
  // Several calls at once, in the wire format; reply i for command i. Blocks as one Call does.
  std::vector<StatusOr<RedisReply>> CallAll(std::vector<std::string> commands);
  // Calls that differ in their last arguments alone. Those that wait together, whoever made them,
  // become one command: `head`, then the arguments of each call. Its reply is to be a list with an
  // element for each; any other reply is that of every call.
  std::vector<StatusOr<RedisReply>> CallShared(const std::vector<std::string_view>& head,
                                               const std::vector<std::vector<std::string>>& calls);

  // How many connections were made, and how many of them a server's answer made us leave.
  int64_t connections() const { return connections_; }
  int64_t departures() const { return departures_; }

 private:
  struct Caller;
  struct Pending;
  using Batch = std::vector<std::shared_ptr<Pending>>;
  using Message = std::vector<Pending*>;  // the calls that one command stands for

  std::vector<StatusOr<RedisReply>> Wait(Batch calls);
  // Exchanges batch after batch until `caller` has its replies or `deadline` has come, then passes
  // the lead on.
  void Lead(const Caller& caller, SteadyTime deadline) REQUIRES_LOCK(mu_);
  Batch NextBatch() REQUIRES_LOCK(mu_);
  void Answer(Pending& call, StatusOr<RedisReply> reply) REQUIRES_LOCK(mu_);

  // Without the lock, by the caller that leads.
  static std::vector<Message> Merge(const Batch& batch);
  Status Exchange(const Batch& batch);
  Status EnsureConnected();
  // No connection any more, and none for a moment.
  void Disconnect(Status why);

  const RedisOptions options_;
  std::atomic<int64_t> connections_{0};
  std::atomic<int64_t> departures_{0};

  Mutex mu_;
  std::deque<std::shared_ptr<Pending>> waiting_ GUARDED_BY(mu_);
  bool led_ GUARDED_BY(mu_) = false;

  // Of the caller that leads.
  std::unique_ptr<RedisConnection> connection_;
  Status last_failure_;
  SteadyTime next_attempt_{};
  std::minstd_rand jitter_;
};

}  // namespace phasor::redis
