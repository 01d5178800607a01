// What each process asks about its fleet every 15 seconds (common/queue/fleet_check.h), for all
// simulated ones on a few threads. The first looks are spread over that time, as those of
// processes are that did not start together.
//
// Ends with the object. References outlive it.
#pragma once

#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "bench/fleet_sim/tally.h"
#include "common/base/clock.h"
#include "common/queue/fleet_check.h"

namespace phasor::bench {

class FleetChecks {
 public:
  FleetChecks(const std::vector<queue::Foundation*>& foundations, int threads, Tally& tally);

 private:
  struct Due {
    std::unique_ptr<queue::FleetCheck> check;
    SteadyTime first;
  };
  void Run(const std::stop_token& stop, int thread, int threads);

  const SystemClock clock_;
  Tally& tally_;
  std::vector<Due> checks_;
  std::vector<std::jthread> threads_;  // after what they use
};

}  // namespace phasor::bench
