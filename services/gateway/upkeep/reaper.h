// Takes back the jobs of workers that are gone, and lets the queue forget what ended long ago or is
// too much. Any number of gateways may do this at once: the queue moves each job once. One thread.
#pragma once

#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"

namespace phasor::gateway {

class Reaper {
 public:
  // Both outlive the reaper.
  Reaper(queue::Maintenance* maintenance, metrics::Registry* metrics);

  // Does what is due now. Call about every second.
  Status Tick();

 private:
  Status Recover();
  Status Forget();

  queue::Maintenance* const maintenance_;
  metrics::Counter& moved_;
  metrics::Counter& forgotten_;
};

}  // namespace phasor::gateway
