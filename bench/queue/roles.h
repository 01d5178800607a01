// The roles that a process of the queue benchmark plays. Each blocks until its work is done, on
// as many threads as the options say, over one connection; the first error ends it.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/queue/redis/redis_queue.h"

namespace phasor::bench {

struct QueueLoad {
  std::string redis;  // URL
  int jobs = 10'000;
  int workers = 8;      // threads that call the queue
  int connections = 1;  // among which they are divided
  int batch = 1;        // jobs of one submit; produce only
  int payload = 300;    // bytes of a job
  int tenants = 1;
};

StatusOr<queue::RedisOptions> OptionsOf(const QueueLoad& load);

// Submits all jobs.
Status Produce(const QueueLoad& load);
// Takes and completes whatever comes until the standard input is closed.
Status Consume(const QueueLoad& load);
// Takes and completes `jobs` of a queue that holds more; prints the latency of the takes as JSON.
Status MeasureTakes(const QueueLoad& load);

}  // namespace phasor::bench
