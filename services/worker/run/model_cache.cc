#include "services/worker/run/model_cache.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace phasor::worker {
namespace {

constexpr uint64_t kNoBound = std::numeric_limits<uint64_t>::max();

}  // namespace

ModelCache::ModelCache(engine::Engine& engine, const std::vector<config::ModelCard>& cards,
                       const ModelCacheLimits& limits, const Clock& clock, WorkerMetrics& metrics,
                       MemoryMetrics& memory)
    : engine_(engine), limits_(limits), clock_(clock), metrics_(metrics), memory_(memory) {
  for (const config::ModelCard& card : cards) directories_[card.name] = card.directory;
}

StatusOr<std::shared_ptr<engine::Model>> ModelCache::Get(const std::string& name,
                                                         const engine::LoadProgress& on_part) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front().model;
  }
  const auto directory = directories_.find(name);
  if (directory == directories_.end()) return NotFound("this worker has no model named " + name);

  const uint64_t most = limits_.bytes > 0 ? limits_.bytes : kNoBound;
  const auto size = sizes_.find(name);
  Keep(limits_.models - 1, size == sizes_.end() ? most : most - std::min(most, size->second));
  if (limits_.load_alone) MakeRoom(name, [] { return false; });
  const SteadyTime begin = clock_.Steady();
  auto model = engine_.Load(directory->second, on_part);
  if (model.status().code() == StatusCode::kResourceExhausted && !entries_.empty()) {
    KeepOnly(name);
    model = engine_.Load(directory->second, on_part);
  }
  if (!model.ok()) return Annotate(model.status(), "model " + name + " can't be loaded");
  metrics_.ModelLoaded(name, SecondsBetween(begin, clock_.Steady()));
  sizes_[name] = (*model)->info().weight_bytes;
  Keep(limits_.models, most - std::min(most, sizes_[name]));
  entries_.push_front({name, *std::move(model)});
  Count();
  return entries_.front().model;
}

void ModelCache::Keep(size_t models, uint64_t bytes) {
  for (auto entry = entries_.end(); entry != entries_.begin();) {
    --entry;
    if (entries_.size() <= models && Bytes() <= bytes) break;
    if (pinned_.contains(entry->name)) continue;
    Left(entry->name);
    entry = entries_.erase(entry);
  }
  Count();
}

void ModelCache::Unload(const std::string& name) {
  pinned_.erase(name);
  entries_.remove_if([&](const Entry& entry) { return entry.name == name; });
  Count();
}

bool ModelCache::MakeRoom(const std::string& name, const std::function<bool()>& enough) {
  bool left = false;
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && !enough(); ++entry) {
    if (entry->name == name || pinned_.contains(entry->name)) continue;
    if (entry->model->OnDevice().empty()) continue;
    entry->model->LeaveDevice();
    Left(entry->name);
    left = true;
  }
  return left;
}

void ModelCache::KeepOnly(const std::string& name) {
  for (const Entry& entry : entries_) {
    if (entry.name != name) entry.model->LeaveDevice();
  }
  entries_.remove_if(
      [&](const Entry& entry) { return entry.name != name && !pinned_.contains(entry.name); });
  Count();
}

uint64_t ModelCache::Bytes() const {
  uint64_t bytes = 0;
  for (const Entry& entry : entries_) bytes += entry.model->info().weight_bytes;
  return bytes;
}

void ModelCache::Left(const std::string& name) {
  ++swaps_;
  memory_.Swapped(name);
}

void ModelCache::Count() { metrics_.ModelsResident(static_cast<int>(entries_.size())); }

std::vector<std::string> ModelCache::Resident() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

std::vector<ModelCache::Held> ModelCache::Look() const {
  std::vector<Held> held;
  for (const Entry& entry : entries_) {
    const engine::ModelInfo& info = entry.model->info();
    held.push_back({entry.name, info.digest, pinned_.contains(entry.name), info.weight_bytes,
                    entry.model->OnDevice()});
  }
  return held;
}

std::shared_ptr<engine::Model> ModelCache::Find(const std::string& name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry.model;
  }
  return nullptr;
}

}  // namespace phasor::worker
