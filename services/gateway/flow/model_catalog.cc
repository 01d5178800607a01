#include "services/gateway/flow/model_catalog.h"

#include <utility>

#include "engine/api/schedulers.h"

namespace phasor::gateway {

ModelCatalog::ModelCatalog(std::vector<config::ModelCard> cards) {
  for (config::ModelCard& card : cards) {
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
  v1::ModelDefaults* defaults = model.mutable_defaults();
  defaults->set_width(card.defaults.width);
  defaults->set_height(card.defaults.height);
  defaults->set_steps(card.defaults.steps);
  defaults->set_guidance_scale(card.defaults.guidance_scale);
  defaults->set_scheduler(card.defaults.scheduler);
  v1::ModelLimits* limits = model.mutable_limits();
  limits->set_min_size(card.limits.min_size);
  limits->set_max_size(card.limits.max_size);
  limits->set_size_multiple(card.limits.size_multiple);
  limits->set_max_steps(card.limits.max_steps);
  limits->set_max_images(card.limits.max_images);
  limits->set_max_guidance_scale(card.limits.max_guidance_scale);
  limits->set_max_prompt_bytes(static_cast<int64_t>(card.limits.max_prompt_bytes));
  limits->set_max_clip_skip(card.limits.max_clip_skip);
  for (const engine::SchedulerName& name : engine::SchedulerNames()) {
    model.add_schedulers(std::string(name.alias));
  }
  return model;
}

}  // namespace phasor::gateway
