#include "engine/runtime/run_plan.h"

#include <vector>

#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

std::vector<PhaseNeed> NeedsOf(const Pipeline& pipeline, const PictureSpec& spec) {
  std::vector<PhaseNeed> needs;
  for (const UnitKind phase : {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode}) {
    needs.push_back({phase, pipeline.PassOf(phase, spec, at::get_num_threads())});
  }
  return needs;
}

}  // namespace

ResidencyPlan PlanRun(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec,
                      std::optional<Strategy> strategy) {
  const std::vector<PhaseNeed> needs = NeedsOf(pipeline, spec);
  if (strategy) return PlanResidency(*strategy, residency.Sizes(), needs);
  return ChooseResidency(residency.Budget(), residency.Sizes(), needs);
}

ModelPlan PlanModel(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec) {
  const std::vector<PhaseNeed> needs = NeedsOf(pipeline, spec);
  const std::vector<PartSize> sizes = residency.Sizes();
  ModelPlan plan{residency.Budget(), {}, Strategy::kFull};
  for (const Strategy strategy : kStrategies) {
    plan.strategies.push_back(PlanResidency(strategy, sizes, needs));
  }
  plan.chosen = ChooseResidency(plan.budget, sizes, needs).strategy;
  return plan;
}

}  // namespace phasor::engine
