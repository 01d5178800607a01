#include "engine/fake/fake_memory.h"

namespace phasor::engine {

Status FakeResidence::Fit(Strategy strategy, uint64_t activations) {
  const FakeMemory& memory = device_->memory;
  if (memory.capacity == 0) return OkStatus();
  const uint64_t wanted = strategy == Strategy::kFull ? memory.model_bytes : 0;
  const uint64_t others = device_->used - held_;
  if (others + memory.fragmented + wanted + activations > memory.capacity) {
    return ResourceExhausted("the played memory does not suffice");
  }
  device_->used = others + wanted;
  held_ = wanted;
  return OkStatus();
}

void FakeResidence::Leave() {
  device_->used -= held_;
  held_ = 0;
}

uint64_t FakeResidence::ActivationsOf(const PictureSpec& spec) const {
  return device_->memory.pixel_bytes * static_cast<uint64_t>(spec.width) *
         static_cast<uint64_t>(spec.height);
}

ModelPlan FakeResidence::Plan(const PictureSpec& spec) const {
  const FakeMemory& memory = device_->memory;
  ModelPlan plan;
  plan.budget = {.capacity = memory.capacity,
                 .reserved = device_->used - held_ + memory.fragmented,
                 .fragmented = memory.fragmented};
  const ModelSizes sizes = {
      WeightForm::kPlain,
      {{.name = "weights", .phases = {UnitKind::kStep}, .bytes = memory.model_bytes}}};
  const uint64_t activations = ActivationsOf(spec);
  const std::vector<PhaseNeed> needs = {
      {UnitKind::kStep, {.resident = activations, .streamed = activations}}};
  for (const Strategy strategy : {Strategy::kFull, Strategy::kSequentialOffload}) {
    plan.strategies.push_back(PlanResidency(strategy, sizes, needs, plan.budget));
  }
  plan.chosen.residency = plan.strategies[plan.strategies[0].FitsIn(plan.budget) ? 0 : 1];
  return plan;
}

DeviceReport ReportOf(const FakeDevice& device) {
  if (device.memory.capacity == 0) return {};
  DeviceReport report{"fake", {}, "AUTO", {}};
  report.use.capacity = device.memory.capacity;
  report.use.current.of(MemoryKind::kWeights) = device.used;
  report.use.peak = report.use.current;
  report.use.fragmented = device.memory.fragmented;
  report.use.reserved = report.use.taken();
  for (const Strategy strategy : {Strategy::kFull, Strategy::kSequentialOffload}) {
    report.strategies.emplace_back(ToString(strategy));
  }
  return report;
}

}  // namespace phasor::engine
