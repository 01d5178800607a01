// The thread that owns the engine: makes it, loads models, takes one job after another and runs
// it. Everything of the engine lives and dies in Run.
//
// Run belongs to one thread; Ask and Drain may be called from any. References outlive it.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/config/model_card.h"
#include "common/queue/queue.h"
#include "services/worker/memory_metrics.h"
#include "services/worker/order.h"
#include "services/worker/own_units.h"
#include "services/worker/run/group_turn.h"
#include "services/worker/run/job_runner.h"
#include "services/worker/run/offer.h"
#include "services/worker/take/idle_pace.h"
#include "services/worker/take/intake.h"
#include "services/worker/take/stretch.h"
#include "services/worker/take/taker.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

struct ExecutorConfig {
  RunnerConfig runner;
  TakerConfig taker;
  std::vector<config::ModelCard> models;  // that this worker can run
  ModelCacheLimits limits = {};
  GroupConfig group = {};
  uint64_t result_cache_bytes = 0;
  std::string preload;  // loaded before the first take, empty: none
};

class Executor {
 public:
  using EngineFactory = std::function<StatusOr<std::unique_ptr<engine::Engine>>()>;
  struct Parts {
    EngineFactory make_engine;
    queue::Consumer& queue;
    storage::ResultStore& store;
    LeaseRenewer& lease;
    ProgressSink progress;
    Patience patience;
    WorkerMetrics& metrics;
    MemoryMetrics& memory;
    WorkerStatus& status;
    Intake& intake;
    OwnUnits& own_units;  // what it does beside jobs
    // The device is gone; the caller sees to it that the process ends soon, whatever happens.
    std::function<void()> on_device_lost;
    const trace::Tracer* tracer = nullptr;  // null: nobody wants spans
  };

  Executor(Parts parts, ExecutorConfig config);

  // Until Drain, then the job in hand is finished or stopped. An error: the engine can't be made,
  // or its device was lost (engine::IsDeviceLost).
  Status Run();

  // Takes no further job.
  void Drain();
  // Obeyed between two jobs.
  void Ask(Order order);

 private:
  // What lives as long as the engine.
  struct Hands {
    ModelCache& models;
    MemoryWatch& memory;
    Taker& taker;
    JobRunner& runner;
  };
  Status Loop(const Hands& hands);
  // One take, its job and those that join it. False: there was nothing to do. An error: the device
  // was lost.
  StatusOr<bool> Tick(const Hands& hands);
  StatusOr<std::optional<Taker::Taken>> Take(const Hands& hands);
  void TakeFailed(const Status& status);
  // Tests the worker if that is due. An error: the device was lost.
  Status TestIfDue(Taker& taker, ModelCache& models);
  // False: no job is to be taken now.
  bool IntakeIsOpen();
  bool HasOrders() const;
  void Obey(const Hands& hands);
  Status Load(const Order& order, ModelCache& models);
  bool draining() const;
  // True when draining, unless the last take may have got a job that nobody knows of.
  bool MayLeave(const Taker& taker) const;

  Parts parts_;
  const ExecutorConfig config_;
  Offer offer_;       // Run's thread
  Stretch stretch_;   // Run's thread
  IdlePace idle_;     // Run's thread
  int failures_ = 0;  // takes in a row that got no answer; Run's thread

  mutable Mutex mu_;
  bool draining_ GUARDED_BY(mu_) = false;
  SteadyTime drain_began_ GUARDED_BY(mu_);
  std::vector<Order> orders_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
