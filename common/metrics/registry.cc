#include "common/metrics/registry.h"

#include <type_traits>

#include <prometheus/text_serializer.h>

namespace phasor::metrics {

Buckets SecondsBuckets() {
  return {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 180, 600};
}

template <typename Metric>
Metric& Family<Metric>::Add(const std::map<std::string, std::string>& labels) {
  if constexpr (std::is_same_v<Metric, Histogram>) {
    return state_->family->Add(labels, state_->buckets);
  } else {
    return state_->family->Add(labels);
  }
}

template <typename Metric>
Metric& Family<Metric>::With(const std::vector<std::string>& values) {
  MutexLock lock(&state_->mu);
  auto found = state_->series.find(values);
  if (found == state_->series.end()) {
    std::vector<std::string> key = values;
    key.resize(state_->label_names.size());
    if (state_->series.size() >= state_->most) key.assign(key.size(), "other");
    found = state_->series.try_emplace(key).first;
    if (found->second.metric == nullptr) {
      std::map<std::string, std::string> labels;
      for (size_t i = 0; i < key.size(); ++i) labels[state_->label_names[i]] = key[i];
      found->second.metric = &Add(labels);
    }
  }
  found->second.used = true;
  return *found->second.metric;
}

template <typename Metric>
void Family<Metric>::Sweep() {
  MutexLock lock(&state_->mu);
  for (auto it = state_->series.begin(); it != state_->series.end();) {
    if (it->second.used) {
      it->second.used = false;
      ++it;
    } else {
      state_->family->Remove(it->second.metric);
      it = state_->series.erase(it);
    }
  }
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

// Merge: asking for a family again gives the one that exists.
Registry::Registry() : registry_(prometheus::Registry::InsertBehavior::Merge) {}

template <typename State, typename Builder>
std::shared_ptr<State> Registry::Make(Builder builder, FamilyInfo info) {
  info.name.insert(0, "phasor_");
  auto state = std::make_shared<State>();
  state->family = &builder.Name(info.name).Help(info.what).Register(registry_);
  state->label_names = info.label_names;
  MutexLock lock(&mu_);
  families_.try_emplace(info.name, std::move(info));
  return state;
}

Family<Counter> Registry::Counters(const std::string& name, const std::string& what,
                                   const std::vector<std::string>& label_names) {
  return Family<Counter>(Make<Family<Counter>::State>(prometheus::BuildCounter(),
                                                      {name, "counter", what, label_names}));
}

Family<Gauge> Registry::Gauges(const std::string& name, const std::string& what,
                               const std::vector<std::string>& label_names, size_t most) {
  auto state =
      Make<Family<Gauge>::State>(prometheus::BuildGauge(), {name, "gauge", what, label_names});
  state->most = most;
  return Family<Gauge>(std::move(state));
}

Family<Histogram> Registry::Histograms(const std::string& name, const std::string& what,
                                       const Buckets& buckets,
                                       const std::vector<std::string>& label_names) {
  auto state = Make<Family<Histogram>::State>(prometheus::BuildHistogram(),
                                              {name, "histogram", what, label_names});
  state->buckets = buckets;
  return Family<Histogram>(std::move(state));
}

std::string Registry::Text() const {
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

std::vector<FamilyInfo> Registry::Families() const {
  MutexLock lock(&mu_);
  std::vector<FamilyInfo> families;
  families.reserve(families_.size());
  for (const auto& [name, info] : families_) families.push_back(info);
  return families;
}

}  // namespace phasor::metrics
