// The models that this worker holds in memory, within limits of count and bytes; the one unused for
// longest goes first, and a pinned one stays. Besides that a model that no run needs leaves the
// device, and only the device, when another one needs the room: what it held there is made anew of
// its mapped files when it runs again.
//
// One thread, the executor, which owns the engine and all models. Errors are the engine's;
// NOT_FOUND for a name without a card.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/model_card.h"
#include "engine/api/engine.h"
#include "services/worker/memory_metrics.h"
#include "services/worker/worker_metrics.h"

namespace phasor::worker {

struct ModelCacheLimits {
  size_t models = 1;   // at least 1
  uint64_t bytes = 0;  // of weights in all; 0: whatever they are. One model may be larger.
  // Idle models leave the device before another one is loaded, and not only when that needs it.
  bool load_alone = false;
};

class ModelCache {
 public:
  // What is held of a model.
  struct Held {
    std::string name;
    std::string digest;  // of what decides its pictures
    bool pinned = false;
    uint64_t weight_bytes = 0;
    std::vector<engine::PartUse> on_device;
  };

  // `engine`, `clock` and the metrics outlive the cache.
  ModelCache(engine::Engine& engine, const std::vector<config::ModelCard>& cards,
             const ModelCacheLimits& limits, const Clock& clock, WorkerMetrics& metrics,
             MemoryMetrics& memory);

  // Loads unless resident. When memory does not suffice, idle models go and it is tried again.
  // `on_part` hears of each part that is loaded.
  StatusOr<std::shared_ptr<engine::Model>> Get(
      const std::string& name, const engine::LoadProgress& on_part = [](std::string_view) {});

  // From now on the model stays, loaded or not. Pinned models count, but one more may always be
  // loaded, or nothing else could run.
  void Pin(const std::string& name) { pinned_.insert(name); }
  // Gives it up and ends its pinning.
  void Unload(const std::string& name);

  // Takes models off the device until `enough` says so, that of `name` and pinned ones left out.
  // True if any left.
  bool MakeRoom(const std::string& name, const std::function<bool()>& enough);
  // Gives up every model but this one, to make room; pinned ones leave the device.
  void KeepOnly(const std::string& name);

  // Names, most recently used first.
  std::vector<std::string> Resident() const;
  std::vector<Held> Look() const;
  // How often a model left memory or the device for another one.
  uint64_t swaps() const { return swaps_; }
  // Null for one that is not resident.
  std::shared_ptr<engine::Model> Find(const std::string& name) const;

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<engine::Model> model;
  };
  // Gives up what is unused for longest until no more than so much is held.
  void Keep(size_t models, uint64_t bytes);
  uint64_t Bytes() const;
  void Count();
  void Left(const std::string& name);

  engine::Engine& engine_;
  std::map<std::string, std::string> directories_;
  const ModelCacheLimits limits_;
  const Clock& clock_;
  WorkerMetrics& metrics_;
  MemoryMetrics& memory_;
  std::list<Entry> entries_;      // most recently used first
  std::set<std::string> pinned_;  // names
  uint64_t swaps_ = 0;
  std::map<std::string, uint64_t> sizes_;  // of weights, as far as models have been loaded
};

}  // namespace phasor::worker
