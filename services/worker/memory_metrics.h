// What a worker measures of its device's memory and of what it keeps in it, under the names of the
// project's metrics. Thread-safe; `registry` outlives it.
#pragma once

#include <map>
#include <string>

#include "common/metrics/registry.h"
#include "engine/api/engine.h"
#include "engine/memory/pressure.h"

namespace phasor::worker {

class MemoryMetrics {
 public:
  explicit MemoryMetrics(metrics::Registry& registry);

  void Device(const engine::MemoryUse& use, engine::Pressure pressure);
  // The models that are held, each with its digest.
  void Weights(const std::map<std::string, std::string>& held);
  // A unit that is done.
  void Unit(const std::string& model, const engine::UnitRecord& unit);
  // A unit ran out of memory; `action` is what was done about it.
  void OutOfMemory(engine::UnitKind phase, const std::string& action);
  // A model left the device, or memory, for another one.
  void Swapped(const std::string& model);
  // `cache`: "result", "embedding".
  void CacheHit(const std::string& cache);
  void CacheMissed(const std::string& cache);
  void CacheHolds(const std::string& cache, uint64_t bytes);

 private:
  metrics::Family<metrics::Gauge> bytes_;
  metrics::Family<metrics::Gauge> state_;
  metrics::Family<metrics::Gauge> predicted_;
  metrics::Family<metrics::Gauge> actual_;
  metrics::Family<metrics::Counter> events_;
  metrics::Family<metrics::Counter> swaps_;
  metrics::Family<metrics::Histogram> moved_;
  metrics::Family<metrics::Counter> hits_;
  metrics::Family<metrics::Counter> misses_;
  metrics::Family<metrics::Gauge> cached_;
  metrics::Family<metrics::Gauge> weights_;
};

}  // namespace phasor::worker
