#include "services/worker/run/memory_watch.h"

#include <algorithm>
#include <utility>

#include "common/base/byte_size.h"
#include "common/log/log.h"
#include "common/rpc/spec_convert.h"
#include "engine/memory/pressure.h"
#include "services/worker/run/need_table.h"

namespace phasor::worker {
namespace {

constexpr char kIdleModels[] = "idle_models";
constexpr char kEmbeddings[] = "embedding";  // the cache's name in metrics

void AddShare(const std::string& kind, uint64_t bytes,
              google::protobuf::RepeatedPtrField<v1::MemoryShare>* shares) {
  v1::MemoryShare* share = shares->Add();
  share->set_kind(kind);
  share->set_bytes(static_cast<int64_t>(bytes));
}

// Whether the model would run as it likes best: by the strategy that was named, else by the
// cheapest there is.
bool RunsWell(const engine::Model& model, const PictureSpec& spec, const std::string& strategy) {
  const auto plan = model.Plan(spec);
  if (!plan.ok() || plan->strategies.empty()) return true;
  for (const engine::ResidencyPlan& one : plan->strategies) {
    if (one.name() == strategy) return one.FitsIn(plan->budget);
  }
  return plan->strategies.front().FitsIn(plan->budget);
}

}  // namespace

engine::Pressure MemoryWatch::PressureNow() const {
  const engine::MemoryUse use = parts_.engine.ReportDevice().use;
  return engine::PressureOf(use.taken(), use.capacity);
}

void MemoryWatch::BeforeRun(const std::string& name, const engine::Model& model,
                            const PictureSpec& spec, const std::string& strategy) {
  std::string wanted = strategy;
  if (wanted.empty()) wanted = parts_.engine.ReportDevice().strategy;
  parts_.models.MakeRoom(name, [&] { return RunsWell(model, spec, wanted); });
}

std::string MemoryWatch::MakeRoom(const std::string& name) {
  return parts_.models.MakeRoom(name, [] { return false; }) ? kIdleModels : "";
}

void MemoryWatch::Measure(const std::string& name, const engine::RunReport& report) {
  const engine::UnitRecord& unit = report.units.back();
  if (unit.kind != engine::UnitKind::kEncode || !report.embeddings_recalled) {
    parts_.metrics.Unit(name, unit);
  } else if (*report.embeddings_recalled) {
    parts_.metrics.CacheHit(kEmbeddings);  // nothing was computed, so nothing is measured
  } else {
    parts_.metrics.CacheMissed(kEmbeddings);
    parts_.metrics.Unit(name, unit);
  }
}

void MemoryWatch::AfterUnit(const std::string& name, engine::Run& run, size_t* told) {
  const auto high = [this] { return PressureNow() < engine::Pressure::kHigh; };
  if (!high()) parts_.models.MakeRoom(name, high);
  if (PressureNow() == engine::Pressure::kCritical) {
    drop_caches_();
    const engine::MemoryUse use = parts_.engine.ReportDevice().use;
    if (PressureNow() == engine::Pressure::kCritical &&
        run.Next().kind != engine::UnitKind::kDone) {
      run.GoLeaner("the device's memory is tight: " + ByteSizeText(use.taken()) + " of " +
                   ByteSizeText(use.capacity) + " are in use between two units");
    }
  }
  const engine::RunReport report = run.Report();
  if (!report.units.empty()) Measure(name, report);
  // Those of a unit that failed in the end are taken back.
  *told = std::min(*told, report.degradations.size());
  for (; *told < report.degradations.size(); ++*told) {
    const engine::Degradation& one = report.degradations[*told];
    parts_.metrics.OutOfMemory(one.kind, one.action);
    log::Warn("memory did not suffice", {{"phase", ToString(one.kind)},
                                         {"unit", one.index},
                                         {"action", one.action},
                                         {"bytes_asked", one.bytes_asked},
                                         {"bytes_free", one.bytes_free}});
  }
  Tell();
}

void MemoryWatch::Look() {
  for (const config::ModelCard& card : parts_.cards) {
    if (needs_.contains(card.name)) continue;
    const auto model = parts_.models.Find(card.name);
    if (model != nullptr) needs_[card.name] = NeedOf(card, *model);
  }
  Tell();
}

uint64_t MemoryWatch::Cleanup() {
  const uint64_t before = parts_.engine.ReportDevice().use.current.total();
  drop_caches_();
  parts_.models.KeepOnly("");
  Tell();
  const uint64_t after = parts_.engine.ReportDevice().use.current.total();
  return before - std::min(before, after);
}

void MemoryWatch::Tell() {
  const engine::DeviceReport device = parts_.engine.ReportDevice();
  const engine::Pressure pressure = engine::PressureOf(device.use.taken(), device.use.capacity);
  parts_.metrics.Device(device.use, pressure);
  v1::WorkerStats stats;
  if (!device.name.empty()) {
    using engine::MemoryKind;
    stats.set_memory_bound_bytes(static_cast<int64_t>(device.use.capacity));
    AddShare("weights", device.use.current.of(MemoryKind::kWeights), stats.mutable_memory());
    AddShare("activations", device.use.current.of(MemoryKind::kActivations),
             stats.mutable_memory());
    AddShare("workspace", device.use.current.of(MemoryKind::kWorkspace), stats.mutable_memory());
    stats.set_memory_reserved_bytes(static_cast<int64_t>(device.use.reserved));
    stats.set_memory_fragmented_bytes(static_cast<int64_t>(device.use.fragmented));
    stats.set_memory_state(std::string(ToString(pressure)));
    stats.set_strategy(
        rpc::StrategyOf(std::string(engine::ApiName(device.strategy))).value_or(v1::AUTO));
    for (const std::string& strategy : device.strategies) {
      const auto known = rpc::StrategyOf(strategy);
      if (known.ok()) stats.add_strategies(*known);
    }
  }
  std::map<std::string, std::string> digests;
  for (const ModelCache::Held& held : parts_.models.Look()) {
    digests[held.name] = held.digest;
    v1::ModelMemory* model = stats.add_models();
    model->set_model(held.name);
    model->set_digest(held.digest);
    model->set_pinned(held.pinned);
    model->set_weight_bytes(static_cast<int64_t>(held.weight_bytes));
    for (const auto& part : held.on_device) AddShare(part.name, part.bytes, model->mutable_parts());
  }
  parts_.metrics.Weights(digests);
  for (const auto& [name, need] : needs_) {
    if (need.at_size() > 0) *stats.add_needs() = need;
  }
  parts_.status.SetMemory(std::move(stats));
}

}  // namespace phasor::worker
