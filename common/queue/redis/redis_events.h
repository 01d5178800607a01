// A subscription to the event channel: a connection and a thread of its own. After a lost
// connection it connects and subscribes again with a jittered pause; what was published meanwhile
// is missed, as the channel promises no more. The server is probed while the channel is silent, so
// that a dead network does not look like a quiet one; and left when the queue has left it, for a
// replica goes on serving its listeners.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "common/queue/queue.h"
#include "common/redis/redis_connection.h"

namespace phasor::queue {

using redis::RedisConnection;
using redis::RedisOptions;
using redis::RedisReply;

class RedisSubscription final : public Subscription {
 public:
  // `departures`: how often the queue has left a server (CommandPipeline::departures).
  RedisSubscription(RedisOptions options, std::function<int64_t()> departures,
                    std::function<void(const Event&)> on_event);
  ~RedisSubscription() override;

 private:
  void Run();
  // Until the connection breaks or the subscription ends.
  Status Listen();
  void Deliver(const RedisReply& message) const;
  // True when the subscription ends meanwhile.
  bool PauseOrStop(Millis time) const;

  const RedisOptions options_;
  const std::function<int64_t()> departures_;
  const std::function<void(const Event&)> on_event_;
  int stop_ = -1;  // eventfd, readable when the subscription ends
  std::thread thread_;
};

}  // namespace phasor::queue
