#include "services/gateway/flow/model_catalog.h"

#include <utility>

#include "common/rpc/picture_convert.h"
#include "engine/api/schedulers.h"

namespace phasor::gateway {

ModelCatalog::ModelCatalog(config::ModelFolder models) : left_out_(std::move(models.left_out)) {
  for (config::ModelCard& card : models.cards) {
    std::string name = card.name;
    cards_.emplace(std::move(name), std::move(card));
  }
}

const config::ModelCard* ModelCatalog::Find(const std::string& name) const {
  if (name.empty()) return cards_.size() == 1 ? &cards_.begin()->second : nullptr;
  const auto found = cards_.find(name);
  return found == cards_.end() ? nullptr : &found->second;
}

std::string ModelCatalog::Names() const {
  std::string names;
  for (const auto& [name, card] : cards_) names += (names.empty() ? "" : ", ") + name;
  return names;
}

std::vector<std::string> ModelCatalog::NameList() const {
  std::vector<std::string> names;
  for (const auto& [name, card] : cards_) names.push_back(name);
  return names;
}

v1::Model ToProto(const config::ModelCard& card) {
  v1::Model model;
  model.set_name(card.name);
  model.set_family(card.family);
  model.set_description(card.description);
  model.set_licence(card.licence);
  rpc::Put(card.defaults, card.limits, &model);
  for (const engine::SchedulerName& name : engine::SchedulerNames()) {
    model.add_schedulers(std::string(name.alias));
  }
  return model;
}

}  // namespace phasor::gateway
