#include "engine/memory/residency.h"

#include <utility>

namespace phasor::engine {

Residency::Residency(std::vector<ModelPart> parts, Strategy strategy,
                     std::shared_ptr<Device> device)
    : parts_(std::move(parts)), strategy_(strategy), device_(std::move(device)) {
  for (const ModelPart& part : parts_) part.weights->SetHostMemory(device_->host_memory());
}

Placement Residency::PlacementOf(const ModelPart& part, UnitKind phase) const {
  const bool needed = part.NeededIn(phase);
  switch (strategy_) {
    case Strategy::kFull:
      return part.phases.empty() ? Placement::kAbsent : Placement::kResident;
    case Strategy::kCpuOffload:
      return needed ? Placement::kResident : Placement::kAbsent;
    case Strategy::kSequentialOffload:
      return needed ? Placement::kStreamed : Placement::kAbsent;
  }
  return Placement::kAbsent;
}

void Residency::Enter(UnitKind phase) {
  if (entered_ == phase) return;
  entered_.reset();
  bool left = false;
  for (const ModelPart& part : parts_) {
    if (PlacementOf(part, phase) != Placement::kAbsent) continue;
    left = left || part.weights->placement() != Placement::kAbsent;
    part.weights->Place(Placement::kAbsent);
  }
  if (left) {
    device_->EmptyCaches();
    device_->ResetPeak();
  }
  for (const ModelPart& part : parts_) {
    const Placement placement = PlacementOf(part, phase);
    if (placement != Placement::kAbsent) part.weights->Place(placement);
  }
  entered_ = phase;
}

}  // namespace phasor::engine
