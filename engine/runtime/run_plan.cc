#include "engine/runtime/run_plan.h"

#include <vector>

#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

constexpr UnitKind kPhases[] = {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode};

std::vector<PhaseNeed> NeedsOf(const Pipeline& pipeline, const PictureSpec& spec,
                               const Cuts& cuts) {
  std::vector<PhaseNeed> needs;
  for (const UnitKind phase : kPhases) {
    needs.push_back({phase, pipeline.PassOf(phase, spec, cuts, at::get_num_threads())});
  }
  return needs;
}

}  // namespace

RunPlan PlanWith(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec,
                 Strategy strategy, const Cuts& cuts) {
  return {PlanResidency(strategy, residency.Sizes(), NeedsOf(pipeline, spec, cuts)), cuts};
}

RunPlan ChoosePlan(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec,
                   const Cuts& cuts) {
  const MemoryBudget budget = residency.Budget();
  RunPlan plan = {ChooseResidency(budget, residency.Sizes(), NeedsOf(pipeline, spec, cuts)), cuts};
  if (plan.residency.FitsIn(budget)) return plan;
  const Cuttable cuttable = pipeline.CuttableOf(spec);
  for (const UnitKind phase : kPhases) {
    while (!plan.residency.FitsIn(budget, phase)) {
      const std::optional<Cuts> finer = FinerThan(plan.cuts, phase, cuttable);
      if (!finer) break;
      plan = PlanWith(pipeline, residency, spec, plan.residency.strategy, *finer);
    }
  }
  return plan;
}

ModelPlan PlanModel(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec) {
  ModelPlan plan{residency.Budget(), {}, ChoosePlan(pipeline, residency, spec, {})};
  for (const Strategy strategy : kStrategies) {
    plan.strategies.push_back(PlanWith(pipeline, residency, spec, strategy, {}).residency);
  }
  return plan;
}

}  // namespace phasor::engine
