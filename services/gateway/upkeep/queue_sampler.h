// Asks the queue how it is, about every second: feeds the metrics about it, tells whether the
// gateway can serve, and hands the configured limits to a queue that has just come up.
// Tick: one thread. The rest is thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"
#include "services/gateway/upkeep/queue_gauges.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

class QueueSampler {
 public:
  struct Parts {
    queue::Maintenance* maintenance = nullptr;  // outlives the sampler
    queue::Control* control = nullptr;          // outlives the sampler
    WorkerRegistry* workers = nullptr;          // outlives the sampler; null: nobody counts them
    metrics::Registry* metrics = nullptr;       // outlives the sampler
    std::vector<std::string> models;            // the catalogue's
    // What the queue's limits are to be, given those that it has; null: those.
    std::function<queue::QueueLimits(const queue::QueueLimits& standing)> limits;
    // Called from Tick when readiness changes, and at the first Tick.
    std::function<void(bool)> on_ready = [](bool) {};
  };
  explicit QueueSampler(Parts parts);

  void Tick();

  // OK, or a sentence about what is missing.
  Status ready();
  // As of the last Tick that got an answer.
  queue::QueueStats latest();

 private:
  StatusOr<queue::QueueStats> Ask();
  Status SetLimits();
  void ShowWorkers();

  const Parts parts_;
  QueueGauges gauges_;
  metrics::Family<metrics::Gauge> workers_ready_;
  bool limits_set_ = false;
  bool asked_ = false;

  Mutex mu_;
  Status ready_ GUARDED_BY(mu_) = Unavailable("the queue has not answered yet");
  queue::QueueStats latest_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
