// Many callers, one connection. One of them leads: it sends what the others ask and reads the
// replies for all, while they sleep; once it has its own, the next of them leads. So a lone call is
// made on its caller's thread.
//
// Calls that wait together travel together: one write to the append-only file and one fsync serve
// all of them. While Redis is near, calls gather until the replies to those before them have come.
// Once these take longer than a moment, Redis is far or slow, and what has gathered follows without
// waiting for them: a call takes one round trip, however many are under way. What is under way is
// bounded by number, bytes and age, so that nothing piles up behind a Redis that can't keep up.
//
// Thread-safe; Call blocks for at most the connect and command timeouts twice over. After a broken
// connection all that were sent are UNAVAILABLE (their outcome is unknown); the next call connects
// anew, with a jittered pause between attempts during which calls fail at once. So it is after an
// answer of a server that is not the one to talk to (IsWrongServer): after a failover the old
// master may live on as a replica, and nothing else would ever make us leave it. What is under way
// then is still answered, and nothing more is sent there. Outlives its calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/redis/redis_connection.h"

namespace phasor::redis {

class CommandPipeline {
 public:
  // More calls than this are never under way at once.
  static constexpr size_t kMaxUnderWay = 2048;

  explicit CommandPipeline(RedisOptions options);
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

  // How many connections were made, and how many of them a server's answer made us leave.
  int64_t connections() const { return connections_; }
  int64_t departures() const { return departures_; }

 private:
  struct Caller;
  struct Pending;
  using Batch = std::vector<std::shared_ptr<Pending>>;
  // The calls that one command stands for.
  struct Message {
    Batch calls;
    std::string command;  // until it is sent
    size_t bytes = 0;
    SteadyTime sent{};
  };

  std::vector<StatusOr<RedisReply>> Wait(Batch calls);
  // Sends and receives until `caller` has its replies or `deadline` has come, then passes the lead
  // on.
  void Lead(Caller& caller, SteadyTime deadline) REQUIRES_LOCK(mu_);
  void PassOn() REQUIRES_LOCK(mu_);
  bool MaySend(SteadyTime now) const REQUIRES_LOCK(mu_);
  Batch NextBatch() REQUIRES_LOCK(mu_);
  void Answer(Pending& call, StatusOr<RedisReply> reply) REQUIRES_LOCK(mu_);

  // Without the lock, by the caller that leads.
  static std::vector<Message> Merge(const Batch& batch);
  Status Send(const Batch& batch);
  // Waits until `end` at most, and with `interruptible` until somebody calls.
  Status Receive(SteadyTime end, bool interruptible);
  void Settle(StatusOr<RedisReply> reply);
  // Of all that is under way; the connection is broken.
  void Fail(const Status& why);
  Status EnsureConnected();
  void Leave();
  // No connection any more, and none for a moment.
  void Disconnect(Status why);

  const RedisOptions options_;
  std::atomic<int64_t> connections_{0};
  std::atomic<int64_t> departures_{0};

  const int wake_;  // readable once somebody calls while the caller that leads listens

  Mutex mu_;
  std::deque<std::shared_ptr<Pending>> waiting_ GUARDED_BY(mu_);
  bool led_ GUARDED_BY(mu_) = false;
  bool listening_ GUARDED_BY(mu_) = false;

  // Of the caller that leads.
  std::unique_ptr<RedisConnection> connection_;
  std::deque<Message> under_way_;  // in the order in which the replies come
  size_t calls_under_way_ = 0;
  size_t bytes_under_way_ = 0;
  SteadyTime sent_{};              // the last of it
  SteadyTime silent_since_{};      // when the first of what is under way was sent
  std::optional<Status> leaving_;  // once what is under way is answered
  Status last_failure_;
  SteadyTime next_attempt_{};
  std::minstd_rand jitter_;
};

}  // namespace phasor::redis
