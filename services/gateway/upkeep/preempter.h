// Lets more urgent jobs have a worker: the queue decides who makes room, the workers that report
// here are told at once instead of with their next renewal. Any number of gateways may do this at
// once. One thread.
#pragma once

#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

class Preempter {
 public:
  // All outlive the preempter.
  Preempter(queue::Maintenance* maintenance, WorkerRegistry* workers, metrics::Registry* metrics);

  // Call about every second.
  Status Tick();

 private:
  queue::Maintenance* const maintenance_;
  WorkerRegistry* const workers_;
  metrics::Counter& asked_;
};

}  // namespace phasor::gateway
