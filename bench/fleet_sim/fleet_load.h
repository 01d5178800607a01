// What a simulated fleet is and does. The defaults are those of a worker as it is installed
// (services/worker/take/executor.cc, services/worker/lease/lease_renewer.h). A plain value.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/queue/redis/redis_queue.h"

namespace phasor::bench {

struct FleetLoad {
  std::string redis;  // URL
  int workers = 100;
  int gateways = 2;   // that submit, tell of progress, and do the queue's upkeep
  int models = 1;     // that every worker runs and jobs are for
  int tenants = 100;  // that jobs are of
  int payload = 400;  // bytes of a job
  int poll_ms = 0;    // how long an idle worker waits for the bell; 0: as workers do
  int lease_ms = 15'000;
  int steps = 20;               // units of a job; each is told to a gateway
  double checkpoint_every = 3;  // seconds of work between two; 0: none
  int submitters = 32;          // threads that submit
  int checkers = 4;             // threads that do for all workers what each does on one of its own
};

// How many jobs come, and how long they take. May change while the fleet works.
struct Work {
  double jobs_per_second = 0;
  double job_seconds = 6;  // mean of a lognormal distribution with a sigma of 0.4
};

StatusOr<queue::RedisOptions> OptionsOf(const FleetLoad& load);

inline std::string ModelName(int n) { return "model-" + std::to_string(n); }

}  // namespace phasor::bench
