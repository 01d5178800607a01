#include "engine/memory/residency_plan.h"

#include <algorithm>

namespace phasor::engine {
namespace {

constexpr uint64_t kShortBy = 50;  // one part of so many: 2 %

bool Computes(const std::vector<UnitKind>& phases, UnitKind phase) {
  return std::find(phases.begin(), phases.end(), phase) != phases.end();
}

PlannedPhase PlanPhase(Strategy strategy, const std::vector<PartSize>& parts,
                       const PhaseNeed& need) {
  PlannedPhase planned{need.phase, {}, 0};
  uint64_t held = 0;
  bool by_layer = false;
  for (const PartSize& part : parts) {
    const Placement placement = PlacementOf(strategy, part.phases, need.phase);
    const bool streams = placement == Placement::kStreamed;
    const uint64_t bytes = placement == Placement::kResident ? part.bytes : 0;
    planned.parts.push_back({part.name, placement, bytes});
    held += bytes + (streams ? part.largest_stored : 0);
    by_layer = by_layer || streams || (part.quantised && Computes(part.phases, need.phase));
  }
  planned.peak_bytes = held + (by_layer ? need.pass.streamed : need.pass.resident);
  return planned;
}

}  // namespace

uint64_t ResidencyPlan::peak_bytes() const {
  uint64_t peak = 0;
  for (const PlannedPhase& phase : phases) peak = std::max(peak, phase.peak_bytes);
  return peak;
}

uint64_t ResidencyPlan::peak_bytes(UnitKind phase) const {
  for (const PlannedPhase& planned : phases) {
    if (planned.phase == phase) return planned.peak_bytes;
  }
  return 0;
}

bool ResidencyPlan::FitsIn(const MemoryBudget& budget) const {
  return budget.Holds(peak_bytes() + peak_bytes() / kShortBy);
}

bool ResidencyPlan::FitsIn(const MemoryBudget& budget, UnitKind phase) const {
  return budget.Holds(peak_bytes(phase) + peak_bytes(phase) / kShortBy);
}

Placement PlacementOf(Strategy strategy, const std::vector<UnitKind>& phases, UnitKind phase) {
  const bool needed = Computes(phases, phase);
  switch (strategy) {
    case Strategy::kFull:
      return phases.empty() ? Placement::kAbsent : Placement::kResident;
    case Strategy::kCpuOffload:
      return needed ? Placement::kResident : Placement::kAbsent;
    case Strategy::kSequentialOffload:
      return needed ? Placement::kStreamed : Placement::kAbsent;
  }
  return Placement::kAbsent;
}

ResidencyPlan PlanResidency(Strategy strategy, const ModelSizes& sizes,
                            const std::vector<PhaseNeed>& needs) {
  ResidencyPlan plan{strategy, sizes.form, {}};
  for (const PhaseNeed& need : needs) plan.phases.push_back(PlanPhase(strategy, sizes.parts, need));
  return plan;
}

ResidencyPlan ChooseResidency(const MemoryBudget& budget, const ModelSizes& sizes,
                              const std::vector<PhaseNeed>& needs) {
  ResidencyPlan plan;
  for (const Strategy strategy : kStrategies) {
    plan = PlanResidency(strategy, sizes, needs);
    if (plan.FitsIn(budget)) break;
  }
  return plan;
}

}  // namespace phasor::engine
