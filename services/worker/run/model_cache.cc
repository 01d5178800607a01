#include "services/worker/run/model_cache.h"

#include <algorithm>
#include <utility>

namespace phasor::worker {

ModelCache::ModelCache(engine::Engine& engine, const std::vector<config::ModelCard>& cards,
                       size_t max_resident, const Clock& clock, WorkerMetrics& metrics)
    : engine_(engine), max_resident_(max_resident), clock_(clock), metrics_(metrics) {
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

  Keep(max_resident_ - 1);
  const SteadyTime begin = clock_.Steady();
  auto model = engine_.Load(directory->second, on_part);
  if (model.status().code() == StatusCode::kResourceExhausted && !entries_.empty()) {
    Keep(0);
    model = engine_.Load(directory->second, on_part);
  }
  if (!model.ok()) return Annotate(model.status(), "model " + name + " can't be loaded");
  metrics_.ModelLoaded(name, SecondsBetween(begin, clock_.Steady()));
  entries_.push_front({name, *std::move(model)});
  metrics_.ModelsResident(static_cast<int>(entries_.size()));
  return entries_.front().model;
}

void ModelCache::Keep(size_t count) {
  while (entries_.size() > count) entries_.pop_back();
  metrics_.ModelsResident(static_cast<int>(entries_.size()));
}

void ModelCache::KeepOnly(const std::string& name) {
  entries_.remove_if([&](const Entry& entry) { return entry.name != name; });
  metrics_.ModelsResident(static_cast<int>(entries_.size()));
}

std::vector<std::string> ModelCache::Resident() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

}  // namespace phasor::worker
