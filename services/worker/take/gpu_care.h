// Looks after the worker's card every few seconds: tells metrics and gateways how it is, and takes
// the worker out of service for good when the card is not fit for work (engine/cuda/gpu_policy.h).
//
// One thread calls Run or Tick. References outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/metrics/registry.h"
#include "engine/cuda/nvml.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

// A card and who looks at it.
struct WatchedGpu {
  engine::Gpu card;
  std::string driver;                       // its version; empty: not known
  std::unique_ptr<engine::GpuWatch> watch;  // null: NVML is missing
};

class GpuCare {
 public:
  // Without a card there is nothing to do. `take_out` lets no job be taken any more.
  GpuCare(std::optional<WatchedGpu> gpu, metrics::Registry& registry, WorkerStatus& status,
          std::function<void()> take_out);

  void Run(std::stop_token stop);
  void Tick();

 private:
  void Tell(const engine::GpuHealth& now);

  const std::optional<WatchedGpu> gpu_;
  WorkerStatus& status_;
  const std::function<void()> take_out_;
  metrics::Family<metrics::Gauge> utilization_ratio_;
  metrics::Family<metrics::Gauge> utilization_percent_;
  metrics::Family<metrics::Gauge> memory_;
  metrics::Family<metrics::Gauge> temperature_;
  metrics::Family<metrics::Gauge> ecc_;
  metrics::Family<metrics::Counter> xids_;
  metrics::Family<metrics::Gauge> power_;
  std::optional<engine::GpuHealth> first_;
  int64_t xid_errors_ = 0;
  uint64_t last_xid_ = 0;
  bool out_ = false;
};

}  // namespace phasor::worker
