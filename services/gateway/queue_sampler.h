// Asks the queue how it is, about every second: feeds the depth metrics, tells whether the
// gateway can serve, and hands the configured limits to a queue that has just come up.
// Tick: one thread. The rest is thread-safe.
#pragma once

#include <functional>
#include <optional>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"

namespace phasor::gateway {

class QueueSampler {
 public:
  struct Parts {
    queue::Maintenance* maintenance = nullptr;  // outlives the sampler
    queue::Control* control = nullptr;          // outlives the sampler
    metrics::Registry* metrics = nullptr;       // outlives the sampler
    std::optional<queue::QueueLimits> limits;   // absent: the queue keeps its own
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
  void ShowDepths(const queue::QueueStats& stats);

  const Parts parts_;
  metrics::Family<metrics::Gauge> depth_;
  metrics::Family<metrics::Gauge> oldest_age_;
  metrics::Family<metrics::Gauge> running_;
  metrics::Family<metrics::Gauge> delayed_;
  metrics::Gauge& live_;
  metrics::Gauge& dead_;
  metrics::Gauge& up_;
  bool limits_set_ = false;
  bool asked_ = false;

  Mutex mu_;
  Status ready_ GUARDED_BY(mu_) = Unavailable("the queue has not answered yet");
  queue::QueueStats latest_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
