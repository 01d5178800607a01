#include "engine/memory/residency_plan.h"

#include <algorithm>

namespace phasor::engine {
namespace {

constexpr uint64_t kShortBy = 50;  // one part of so many: 2 %

bool Computes(const std::vector<UnitKind>& phases, UnitKind phase) {
  return std::find(phases.begin(), phases.end(), phase) != phases.end();
}

// Of a part that takes so much when all of it stays, in sixteenths: a plan should not differ with
// every few bytes that somebody else takes.
uint64_t KeptOf(uint64_t bytes, uint64_t room) {
  constexpr uint64_t kShares = 16;
  const uint64_t share = std::max<uint64_t>(bytes / kShares, 1);
  return room >= bytes ? bytes : room / share * share;
}

// What is left of the budget beside `bytes`, with the 2 % that a prediction may be short by.
uint64_t RoomBeside(uint64_t bytes, const MemoryBudget& budget) {
  if (budget.capacity == 0) return 0;
  const uint64_t free = budget.capacity - std::min(budget.reserved, budget.capacity);
  const uint64_t usable = free - free / (kShortBy + 1);
  return usable - std::min(bytes, usable);
}

PlannedPhase PlanPhase(Strategy strategy, const std::vector<PartSize>& parts, const PhaseNeed& need,
                       const MemoryBudget& budget) {
  PlannedPhase planned{need.phase, {}, 0};
  bool by_layer = false;
  for (const PartSize& part : parts) {
    PlannedPart& one = planned.parts.emplace_back();
    one.name = part.name;
    one.placement = PlacementOf(strategy, part.phases, need.phase);
    if (need.on_host && Computes(part.phases, need.phase)) one.placement = Placement::kOnHost;
    if (one.placement == Placement::kResident) one.bytes = part.bytes;
    if (one.placement == Placement::kAhead) one.ahead = part.largest_layer;
    const bool streams =
        one.placement == Placement::kStreamed || one.placement == Placement::kAhead;
    planned.peak_bytes += one.bytes + one.ahead;
    by_layer = by_layer || streams || (part.quantised && Computes(part.phases, need.phase));
  }
  planned.peak_bytes += by_layer ? need.pass.streamed : need.pass.resident;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (planned.parts[i].placement != Placement::kAhead) continue;
    planned.parts[i].bytes = KeptOf(parts[i].bytes, RoomBeside(planned.peak_bytes, budget));
    planned.peak_bytes += planned.parts[i].bytes;
  }
  return planned;
}

}  // namespace

uint64_t ResidencyPlan::peak_bytes() const {
  uint64_t peak = 0;
  for (const PlannedPhase& phase : phases) peak = std::max(peak, phase.peak_bytes);
  return peak;
}

const PlannedPhase* ResidencyPlan::Of(UnitKind phase) const {
  const auto found = std::find_if(phases.begin(), phases.end(), [&](const PlannedPhase& planned) {
    return planned.phase == phase;
  });
  return found == phases.end() ? nullptr : &*found;
}

uint64_t ResidencyPlan::peak_bytes(UnitKind phase) const {
  const PlannedPhase* const planned = Of(phase);
  return planned == nullptr ? 0 : planned->peak_bytes;
}

bool ResidencyPlan::SwapsBetweenPhases() const {
  for (const PlannedPhase& phase : phases) {
    for (size_t i = 0; i < phase.parts.size(); ++i) {
      if (phase.parts[i].bytes != phases.front().parts[i].bytes) return true;
    }
  }
  return false;
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
    case Strategy::kBlockStream:
      if (!needed) return Placement::kAbsent;
      // Others than the denoiser have a pass or two, whose order is not known before.
      return phase == UnitKind::kStep ? Placement::kAhead : Placement::kStreamed;
    case Strategy::kSequentialOffload:
      return needed ? Placement::kStreamed : Placement::kAbsent;
  }
  return Placement::kAbsent;
}

ResidencyPlan PlanResidency(Strategy strategy, const ModelSizes& sizes,
                            const std::vector<PhaseNeed>& needs, const MemoryBudget& budget) {
  ResidencyPlan plan{strategy, sizes.form, {}};
  for (const PhaseNeed& need : needs) {
    plan.phases.push_back(PlanPhase(strategy, sizes.parts, need, budget));
  }
  return plan;
}

ResidencyPlan ChooseResidency(const MemoryBudget& budget, const ModelSizes& sizes,
                              const std::vector<PhaseNeed>& needs) {
  ResidencyPlan plan;
  for (const Strategy strategy : kStrategies) {
    plan = PlanResidency(strategy, sizes, needs, budget);
    if (plan.FitsIn(budget)) break;
  }
  return plan;
}

}  // namespace phasor::engine
