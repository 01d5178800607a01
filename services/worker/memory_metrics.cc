#include "services/worker/memory_metrics.h"

#include <utility>

namespace phasor::worker {

MemoryMetrics::MemoryMetrics(metrics::Registry& registry)
    : bytes_(registry.Gauges("vram_bytes",
                             "The device's memory: total (0: no bound), used, and what it is used "
                             "for; reserved, that its allocator has taken, and of this "
                             "fragmented, that is free only in pieces. Looked at between units of "
                             "work.",
                             {"kind"})),
      state_(registry.Gauges("vram_state",
                             "1 while the device's memory is as tight as that: LOW to CRITICAL.",
                             {"state"})),
      predicted_(registry.Gauges("predicted_peak_bytes",
                                 "What the last unit of the phase was expected to take.",
                                 {"model", "phase"})),
      actual_(registry.Gauges("actual_peak_bytes", "What the last unit of the phase took.",
                              {"model", "phase"})),
      events_(registry.Counters("oom_events_total",
                                "Units that ran out of memory, or would have, by what was done "
                                "about it: a leaner plan, idle_models, or failed.",
                                {"phase", "action"})),
      swaps_(registry.Counters("model_swaps_total",
                               "Models that left the device, or memory, for another one.",
                               {"model"})),
      moved_(registry.Histograms("weights_moved_seconds",
                                 "What it took to bring what a phase needs to the device, and to "
                                 "take off what it does not, whenever anything moved.",
                                 metrics::SecondsBuckets(), {"model", "phase"})),
      hits_(registry.Counters("cache_hits_total", "What was found in a cache.", {"cache"})),
      misses_(registry.Counters("cache_misses_total", "What was not found in a cache.", {"cache"})),
      cached_(registry.Gauges("cache_bytes", "What a cache holds.", {"cache"})),
      weights_(registry.Gauges("model_weights_info",
                               "1 for each model that is held, with the first twelve letters of "
                               "its digest. Two digests of a model draw different pictures.",
                               {"model", "digest"})) {
  Device({}, engine::Pressure::kLow);
}

void MemoryMetrics::Device(const engine::MemoryUse& use, engine::Pressure pressure) {
  using engine::MemoryKind;
  const std::pair<const char*, uint64_t> shares[] = {
      {"total", use.capacity},
      {"used", use.current.total()},
      {"reserved", use.reserved},
      {"fragmented", use.fragmented},
      {"weights", use.current.of(MemoryKind::kWeights)},
      {"activations", use.current.of(MemoryKind::kActivations)},
      {"workspace", use.current.of(MemoryKind::kWorkspace)}};
  for (const auto& [kind, bytes] : shares) bytes_.With({kind}).Set(static_cast<double>(bytes));
  for (const engine::Pressure state : engine::kPressures) {
    state_.With({std::string(ToString(state))}).Set(state == pressure ? 1 : 0);
  }
}

void MemoryMetrics::Weights(const std::map<std::string, std::string>& held) {
  for (const auto& [model, digest] : held) weights_.With({model, digest.substr(0, 12)}).Set(1);
  weights_.Sweep();
}

void MemoryMetrics::Unit(const std::string& model, const engine::UnitRecord& unit) {
  const std::string phase(ToString(unit.kind));
  predicted_.With({model, phase}).Set(static_cast<double>(unit.predicted_peak_bytes));
  actual_.With({model, phase}).Set(static_cast<double>(unit.peak.total()));
  if (unit.moved_seconds > 0) moved_.With({model, phase}).Observe(unit.moved_seconds);
}

void MemoryMetrics::OutOfMemory(engine::UnitKind phase, const std::string& action) {
  events_.With({std::string(ToString(phase)), action}).Increment();
}

void MemoryMetrics::Swapped(const std::string& model) { swaps_.With({model}).Increment(); }

void MemoryMetrics::CacheHit(const std::string& cache) { hits_.With({cache}).Increment(); }

void MemoryMetrics::CacheMissed(const std::string& cache) { misses_.With({cache}).Increment(); }

void MemoryMetrics::CacheHolds(const std::string& cache, uint64_t bytes) {
  cached_.With({cache}).Set(static_cast<double>(bytes));
}

}  // namespace phasor::worker
