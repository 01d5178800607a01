// What a gateway counts about jobs: submits it accepted, submits it refused and why, ends it heard
// of. Every gateway hears of every end, so the last one is not to be summed over gateways.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "common/metrics/registry.h"
#include "common/queue/types.h"

namespace phasor::gateway {

class JobMetrics {
 public:
  // `registry` outlives it. Of `models`, the catalogue's, there are series from the start.
  explicit JobMetrics(metrics::Registry* registry, const std::vector<std::string>& models = {});

  void Accepted(const std::string& model);
  void Duplicate();
  // Accepted although the store could not say whether the key's job had ended long ago.
  void Unchecked();
  // `reason`: "invalid", "conflict", "paused", "busy", "queue full (jobs)", "unavailable" ...
  void Refused(const std::string& reason);

  // Counts changes to a terminal state, ignores the rest.
  void OnEvent(const queue::Event& event);

 private:
  metrics::Family<metrics::Counter> accepted_;
  metrics::Counter& duplicates_;
  metrics::Counter& unchecked_;
  metrics::Family<metrics::Counter> refused_;
  metrics::Family<metrics::Counter> ended_;
};

}  // namespace phasor::gateway
