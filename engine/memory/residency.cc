#include "engine/memory/residency.h"

#include <algorithm>
#include <utility>

namespace phasor::engine {

Residency::Residency(std::vector<ModelPart> parts, std::shared_ptr<Device> device)
    : parts_(std::move(parts)), device_(std::move(device)) {
  for (const ModelPart& part : parts_) {
    part.weights->SetHostMemory(device_->host_memory(), device_->place());
  }
}

void Residency::Enter(Strategy strategy, UnitKind phase) {
  const std::pair<Strategy, UnitKind> wanted(strategy, phase);
  if (entered_ == wanted) return;
  entered_.reset();
  bool left = false;
  for (const ModelPart& part : parts_) {
    const Placement before = part.weights->placement();
    const Placement placement = PlacementOf(strategy, part.phases, phase);
    if (placement == Placement::kResident) continue;
    left = left || before != placement;
    part.weights->Place(placement);
  }
  if (left) {
    device_->EmptyCaches();
    device_->ResetPeak();
  }
  for (const ModelPart& part : parts_) {
    if (PlacementOf(strategy, part.phases, phase) == Placement::kResident) {
      part.weights->Place(Placement::kResident);
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

std::vector<PartSize> Residency::Sizes() const {
  std::vector<PartSize> sizes;
  for (const ModelPart& part : parts_) {
    sizes.push_back({part.name, part.phases, part.weights->ResidentBytes()});
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
