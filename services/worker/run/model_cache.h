// The models that this worker holds in memory, at most `max_resident`; the one unused for longest
// goes first. One thread, the executor, which owns the engine and all models.
// Errors are the engine's; NOT_FOUND for a name without a card.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/model_card.h"
#include "engine/api/engine.h"
#include "services/worker/worker_metrics.h"

namespace phasor::worker {

class ModelCache {
 public:
  // `engine`, `clock` and `metrics` outlive the cache. max_resident >= 1.
  ModelCache(engine::Engine& engine, const std::vector<config::ModelCard>& cards,
             size_t max_resident, const Clock& clock, WorkerMetrics& metrics);

  // Loads unless resident. When memory does not suffice, idle models go and it is tried again.
  // `on_part` hears of each part that is loaded.
  StatusOr<std::shared_ptr<engine::Model>> Get(
      const std::string& name, const engine::LoadProgress& on_part = [](std::string_view) {});

  // Gives up every model but this one, to make room.
  void KeepOnly(const std::string& name);

  // Names, most recently used first.
  std::vector<std::string> Resident() const;

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<engine::Model> model;
  };
  void Keep(size_t count);

  engine::Engine& engine_;
  std::map<std::string, std::string> directories_;
  const size_t max_resident_;
  const Clock& clock_;
  WorkerMetrics& metrics_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace phasor::worker
