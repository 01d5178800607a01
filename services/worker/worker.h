// The worker put together: executor, lease renewer, watchdog, report streams, operations port and
// drain, on top of a queue and a store that somebody else made.
//
// Threads: the executor, the renewer, the watchdog, one and a reader per report stream, the
// operations port.
// Run belongs to the caller's thread and joins them all. References outlive the worker.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/config/model_card.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "common/trace/tracer.h"
#include "services/worker/lease/lease_renewer.h"
#include "services/worker/lease/watchdog.h"
#include "services/worker/memory_metrics.h"
#include "services/worker/report/report_stream.h"
#include "services/worker/take/drain.h"
#include "services/worker/take/executor.h"
#include "services/worker/take/gpu_care.h"
#include "services/worker/take/intake.h"
#include "services/worker/worker_config.h"
#include "services/worker/worker_metrics.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

class Worker {
 public:
  struct Ports {
    queue::Consumer& queue;
    storage::ResultStore& store;
    const Clock& clock;
    Executor::EngineFactory make_engine;
    std::function<double()> draw;            // uniform in [0, 1); thread-safe
    std::function<double()> memory_percent;  // how full the host's memory is
    Watchdog::EndProcess end_process;        // at once, with ExitCode::kDeviceLost
    // The worker's card, if it has one.
    std::function<std::optional<WatchedGpu>()> watch_gpu = [] { return std::nullopt; };
    // OK, or why the worker does not belong to its fleet now; for its readiness.
    std::function<Status()> fleet = [] { return OkStatus(); };
  };
  Worker(WorkerConfig config, std::vector<config::ModelCard> models, Ports ports);

  // Until the worker was asked to end and has. `wait` blocks for a moment (100 ms or so) and says
  // whether a signal to end came. An error: something that is needed can't be had, or the device
  // was lost (engine::IsDeviceLost).
  Status Run(const std::function<bool()>& wait);

  // What it counts and measures.
  const metrics::Registry& metrics() const { return registry_; }

 private:
  Executor::Parts ExecutorParts();
  Status OpenStreams();
  WorkerCommands Commands();

  const WorkerConfig config_;
  const std::vector<config::ModelCard> models_;
  Ports ports_;
  metrics::Registry registry_;
  const std::unique_ptr<trace::SpanSink> spans_;
  const trace::Tracer tracer_;
  WorkerMetrics metrics_;
  MemoryMetrics memory_metrics_;
  WorkerStatus status_;
  LeaseRenewer lease_;
  Intake intake_;
  OwnUnits own_units_;
  Watchdog watchdog_;
  std::vector<std::unique_ptr<ReportStream>> streams_;  // constant once threads run
  Executor executor_;
  Drain drain_;
  GpuCare gpu_care_;
};

}  // namespace phasor::worker
