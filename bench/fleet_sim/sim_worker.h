// One worker of a simulated fleet: a thread, a queue with the connections that a worker's has, and
// the calls that a worker makes, without a picture. While a job is "drawn" the thread sleeps from
// one unit to the next, and renews the lease in between, which in a worker another thread does.
//
// Run: one thread. References outlive the worker.
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "bench/fleet_sim/fleet_load.h"
#include "bench/fleet_sim/tally.h"
#include "bench/fleet_sim/wait.h"
#include "common/queue/redis/redis_foundation.h"
#include "common/queue/redis/redis_queue.h"
#include "services/worker/take/idle_pace.h"

namespace phasor::bench {

class SimWorker {
 public:
  // `gateway`: what publishes this worker's progress. `mean`: seconds of a job, asked for each.
  SimWorker(const FleetLoad& load, const queue::RedisOptions& options, int number,
            queue::EventChannel& gateway, std::function<double()> mean, Tally& tally);

  // The first take, which connects.
  Status Connect() { return TakeNext(); }
  // Takes jobs and does them until stopped. The one in hand is left.
  void Run(const std::stop_token& stop);

  queue::Foundation& foundation() { return foundation_; }

 private:
  struct Drawing;

  queue::TakeRequest NextTake();
  // A call that takes, and completes what is held.
  Status TakeNext();
  void Took(queue::Grant grant, SteadyTime asked);
  void Draw(const std::stop_token& stop);
  void Renew(Drawing& drawing);
  void Tell(const Drawing& drawing);
  Millis WaitMillis();
  double DrawSeconds();

  const FleetLoad& load_;
  const std::string name_;
  queue::RedisQueue queue_;
  queue::RedisFoundation foundation_;
  queue::EventChannel& gateway_;
  const std::function<double()> mean_;
  Tally& tally_;
  std::mt19937_64 random_;
  worker::IdlePace idle_;
  std::string nonce_;                     // of a take that has not been answered
  std::optional<queue::Grant> held_;      // in hand, or done and not yet told
  std::optional<SteadyTime> idle_since_;  // when a take first found nothing
};

}  // namespace phasor::bench
