// How the queue is, as metrics that a scaler may trust: for every model and class of the catalogue
// there is a number from the first answer on, 0 as well, and while the queue does not answer there
// is none. docs/metrics.md says what each means and how several gateways' are put together.
// One thread.
#pragma once

#include <string>
#include <vector>

#include "common/metrics/registry.h"
#include "common/queue/types.h"

namespace phasor::gateway {

class QueueGauges {
 public:
  // `registry` outlives it. `models`: the catalogue's names.
  QueueGauges(metrics::Registry* registry, std::vector<std::string> models);

  void Show(const queue::QueueStats& stats);
  // The queue does not answer: what was true a while ago is not shown as if it were true now.
  void Vanish();

 private:
  using Gauges = metrics::Family<metrics::Gauge>;
  void ShowModel(const std::string& model, const queue::ModelDepth& depth, bool paused);
  void Sweep();

  const std::vector<std::string> models_;
  Gauges ready_;
  Gauges blocked_;
  Gauges delayed_;
  Gauges running_;
  Gauges demand_;
  Gauges cost_;
  Gauges oldest_age_;
  Gauges live_;
  Gauges sealing_;
  Gauges ended_;
  Gauges dead_;
  Gauges paused_;
  Gauges memory_;
  Gauges memory_limit_;
  metrics::Gauge& up_;
};

}  // namespace phasor::gateway
