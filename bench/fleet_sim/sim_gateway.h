// One gateway of a simulated fleet, as Redis sees it: the connection over which it submits and
// publishes what workers report, a subscription to all events, and every second what gateways do
// for the queue (services/gateway/upkeep/roles.h) and ask for their metrics.
//
// Thread-safe; ends with the object. The tally outlives it.
#pragma once

#include <atomic>
#include <memory>
#include <random>
#include <stop_token>
#include <thread>

#include "bench/fleet_sim/tally.h"
#include "common/queue/redis/redis_foundation.h"
#include "common/queue/redis/redis_queue.h"

namespace phasor::bench {

class SimGateway {
 public:
  SimGateway(const queue::RedisOptions& options, int number, Tally& tally);

  queue::RedisQueue& queue() { return queue_; }
  queue::Foundation& foundation() { return foundation_; }

 private:
  void Run(const std::stop_token& stop);
  Status Tick();

  queue::RedisQueue queue_;
  queue::RedisFoundation foundation_;
  Tally& tally_;
  std::minstd_rand random_;  // the thread's
  std::unique_ptr<queue::Subscription> events_;
  std::jthread thread_;  // after what it uses
};

}  // namespace phasor::bench
