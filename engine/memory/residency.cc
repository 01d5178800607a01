#include "engine/memory/residency.h"

#include <algorithm>
#include <utility>

namespace phasor::engine {

Residency::Residency(std::vector<ModelPart> parts, std::shared_ptr<Device> device,
                     QuantisedSource source)
    : parts_(std::move(parts)), device_(std::move(device)), source_(std::move(source)) {
  for (const ModelPart& part : parts_) {
    part.weights->SetHostMemory(device_->host_memory(), device_->place());
  }
}

void Residency::Enter(Strategy strategy, WeightForm form, UnitKind phase) {
  const Entered wanted{strategy, form, phase};
  if (entered_ == wanted) return;
  entered_.reset();
  bool left = false;
  for (const ModelPart& part : parts_) {
    const Placement before = part.weights->placement();
    const Placement placement = PlacementOf(strategy, part.phases, phase);
    // One that comes again in another form leaves, too.
    const bool changes = !part.weights->Is(form);
    if (placement == Placement::kResident && !changes) continue;
    left = left || before != placement || changes;
    part.weights->Place(placement == Placement::kResident ? Placement::kAbsent : placement, form);
  }
  if (left) {
    device_->EmptyCaches();
    device_->ResetPeak();
  }
  for (const ModelPart& part : parts_) {
    if (PlacementOf(strategy, part.phases, phase) == Placement::kResident) {
      part.weights->Place(Placement::kResident, form);
    }
  }
  entered_ = wanted;
}

void Residency::Leave() {
  entered_.reset();
  for (const ModelPart& part : parts_) part.weights->Place(Placement::kAbsent);
  device_->EmptyCaches();
}

std::vector<std::pair<std::string, uint64_t>> Residency::Held() const {
  std::vector<std::pair<std::string, uint64_t>> held;
  for (const ModelPart& part : parts_) {
    const uint64_t bytes = part.weights->HeldBytes();
    if (bytes > 0) held.emplace_back(part.name, bytes);
  }
  return held;
}

StatusOr<std::vector<std::string>> Residency::Bring(WeightForm form,
                                                    const std::function<void()>& on_weight) {
  std::vector<std::string> told;
  for (const ModelPart& part : parts_) {
    QuantisedSource source = source_;
    source.part = part.name;
    ASSIGN_OR_RETURN(std::string sentence, BringForm(form, source, part.weights.get(), on_weight));
    if (!sentence.empty()) told.push_back(std::move(sentence));
  }
  return told;
}

ModelSizes Residency::Sizes(WeightForm form) const {
  ModelSizes sizes{form, {}};
  for (const ModelPart& part : parts_) {
    const uint64_t largest = part.weights->LargestStoredBytes(form);
    const bool apart = device_->host_memory() == HostMemory::kApart;
    sizes.parts.push_back({.name = part.name,
                           .phases = part.phases,
                           .bytes = part.weights->ResidentBytes(form),
                           .quantised = largest > 0,
                           .largest_stored = apart ? largest : 0});
  }
  return sizes;
}

MemoryBudget Residency::Budget() const {
  const MemoryUse use = device_->Memory();
  uint64_t held = 0;
  for (const ModelPart& part : parts_) held += part.weights->HeldBytes();
  const uint64_t used = use.current.total();
  return {.capacity = use.capacity, .reserved = used - std::min(held, used)};
}

}  // namespace phasor::engine
