// Looks at the device's memory between units of work and does what its pressure asks for: HIGH,
// idle models leave the device; CRITICAL, caches go too and the next unit is done by a leaner plan.
// Tells what it sees to gateways and metrics.
//
// One thread, the executor. References outlive it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/config/model_card.h"
#include "engine/api/engine.h"
#include "services/worker/memory_metrics.h"
#include "services/worker/run/model_cache.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

class MemoryWatch {
 public:
  struct Parts {
    engine::Engine& engine;
    ModelCache& models;
    const std::vector<config::ModelCard>& cards;
    MemoryMetrics& metrics;
    WorkerStatus& status;
  };
  explicit MemoryWatch(const Parts& parts) : parts_(parts) {}

  // Where the worker keeps other things that it can do without: called when they have to go.
  void AddCache(std::function<void()> drop) { drop_caches_ = std::move(drop); }

  // A model is about to run: others leave the device if they stand in the way of its strategy.
  void BeforeRun(const std::string& name, const engine::Model& model, const PictureSpec& spec,
                 const std::string& strategy);
  // What a run that is out of memory may ask for (engine::RunOptions).
  std::string MakeRoom(const std::string& name);
  // After a unit of a run, whether it came out or not. `told`: of the run's degradations, how many
  // were counted; at first 0.
  void AfterUnit(const std::string& name, engine::Run& run, size_t* told);
  // The unit failed for good: nothing helped.
  void Failed(engine::UnitKind phase) { parts_.metrics.OutOfMemory(phase, "failed"); }

  // Between jobs.
  void Look();
  // Caches and idle models go. Bytes of the device that were freed.
  uint64_t Cleanup();

 private:
  engine::Pressure PressureNow() const;
  void Tell();
  void Measure(const std::string& name, const engine::RunReport& report);

  Parts parts_;
  std::function<void()> drop_caches_ = [] {};
  std::map<std::string, v1::ModelNeed> needs_;  // by model, of those that were loaded
};

}  // namespace phasor::worker
