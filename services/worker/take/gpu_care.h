// Looks after the worker's card every few seconds: tells metrics how it is, and takes the worker
// out of service for good when the card is not fit for work (engine/cuda/gpu_policy.h).
//
// One thread calls Run or Tick. References outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "common/metrics/registry.h"
#include "engine/cuda/nvml.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

class GpuCare {
 public:
  // Without a `watch` there is no card, and nothing to do. `take_out` lets no job be taken any
  // more.
  GpuCare(std::unique_ptr<engine::GpuWatch> watch, metrics::Registry& registry,
          WorkerStatus& status, std::function<void()> take_out);

  void Run(std::stop_token stop);
  void Tick();

 private:
  const std::unique_ptr<engine::GpuWatch> watch_;
  WorkerStatus& status_;
  const std::function<void()> take_out_;
  metrics::Family<metrics::Gauge> utilization_ratio_;
  metrics::Family<metrics::Gauge> utilization_percent_;
  metrics::Family<metrics::Gauge> memory_;
  metrics::Family<metrics::Gauge> temperature_;
  metrics::Family<metrics::Gauge> ecc_;
  metrics::Family<metrics::Counter> xids_;
  std::optional<engine::GpuHealth> first_;
  bool out_ = false;
};

}  // namespace phasor::worker
