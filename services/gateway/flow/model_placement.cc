#include "services/gateway/flow/model_placement.h"

#include <algorithm>

namespace phasor::gateway {
namespace {

bool Holds(const v1::WorkerStats& worker, const std::string& model) {
  const auto& models = worker.models_resident();
  return std::find(models.begin(), models.end(), model) != models.end();
}

}  // namespace

std::vector<std::string> HoldersOf(const std::vector<v1::WorkerStats>& workers,
                                   const std::string& model) {
  std::vector<std::string> names;
  for (const v1::WorkerStats& worker : workers) {
    if (Holds(worker, model)) names.push_back(worker.name());
  }
  return names;
}

std::map<std::string, std::vector<std::string>> HoldersByDigest(
    const std::vector<v1::WorkerStats>& workers, const std::string& model) {
  std::map<std::string, std::vector<std::string>> names;
  for (const v1::WorkerStats& worker : workers) {
    for (const v1::ModelMemory& held : worker.models()) {
      if (held.model() != model || held.digest().empty()) continue;
      names[held.digest()].push_back(worker.name());
    }
  }
  return names;
}

std::vector<std::string> PlacesFor(const std::vector<v1::WorkerStats>& workers,
                                   const std::string& model, size_t count) {
  std::vector<std::string> names;
  for (const char* state : {"idle", "busy"}) {
    for (const v1::WorkerStats& worker : workers) {
      if (worker.state() == state && !Holds(worker, model)) names.push_back(worker.name());
    }
  }
  names.resize(std::min(names.size(), count));
  return names;
}

}  // namespace phasor::gateway
