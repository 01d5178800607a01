// A fleet of simulated workers and gateways on one Redis, all in this process.
//
// One thread. Destroying it stops all; jobs in hand are left to their leases.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "bench/fleet_sim/arrivals.h"
#include "bench/fleet_sim/fleet_checks.h"
#include "bench/fleet_sim/fleet_load.h"
#include "bench/fleet_sim/sim_gateway.h"
#include "bench/fleet_sim/sim_worker.h"
#include "bench/fleet_sim/tally.h"

namespace phasor::bench {

class Fleet {
 public:
  Fleet(FleetLoad load, const queue::RedisOptions& options);
  ~Fleet();

  // Connects all; nothing comes yet.
  Status Start();
  void SetWork(const Work& work);
  Tally& tally() { return tally_; }

 private:
  const FleetLoad load_;
  const queue::RedisOptions options_;
  Tally tally_;
  std::atomic<double> rate_ = Work().jobs_per_second;
  std::atomic<double> job_seconds_ = Work().job_seconds;
  std::vector<std::unique_ptr<SimGateway>> gateways_;
  std::vector<std::unique_ptr<SimWorker>> workers_;
  std::unique_ptr<FleetChecks> checks_;
  std::unique_ptr<Arrivals> arrivals_;
  std::vector<std::jthread> threads_;  // after what they use
};

}  // namespace phasor::bench
