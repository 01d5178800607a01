// The gateways' submits: jobs that arrive independently of one another, at a rate that may change,
// from several threads over one queue for each gateway.
//
// Thread-safe; ends with the object. References outlive it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "bench/fleet_sim/fleet_load.h"
#include "bench/fleet_sim/tally.h"

namespace phasor::bench {

class Arrivals {
 public:
  // `rate`: jobs a second, asked now and then.
  Arrivals(const FleetLoad& load, std::vector<queue::Producer*> gateways,
           std::function<double()> rate, Tally& tally);

 private:
  void Run(const std::stop_token& stop, int thread);
  void SubmitOne(queue::Producer& gateway);
  queue::SubmitRequest Next();

  const FleetLoad& load_;
  const std::vector<queue::Producer*> gateways_;
  const std::function<double()> rate_;
  Tally& tally_;
  std::atomic<int64_t> submitted_ = 0;
  std::vector<std::jthread> threads_;  // after what they use
};

}  // namespace phasor::bench
