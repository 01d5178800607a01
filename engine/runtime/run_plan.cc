#include "engine/runtime/run_plan.h"

#include <vector>

#include "common/picture/limits.h"
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

namespace {

// Whether a picture of this side fits, in pieces or only as a whole.
bool SquareFits(const Pipeline& pipeline, const Residency& residency, PictureSpec spec, int side,
                bool in_pieces) {
  spec.width = spec.height = side;
  const RunPlan plan = ChoosePlan(pipeline, residency, spec, {});
  return plan.residency.FitsIn(residency.Budget()) && (in_pieces || plan.cuts.none());
}

// Larger pictures take more, so the sides that fit end somewhere.
int LargestSquare(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec,
                  bool in_pieces) {
  const int multiple = pipeline.info().size_multiple;
  int fits = 0, too_large = picture::WidestLimits().max_size / multiple + 1;
  while (too_large - fits > 1) {
    const int middle = (fits + too_large) / 2;
    (SquareFits(pipeline, residency, spec, middle * multiple, in_pieces) ? fits : too_large) =
        middle;
  }
  return fits * multiple;
}

}  // namespace

ModelPlan PlanModel(const Pipeline& pipeline, const Residency& residency, const PictureSpec& spec) {
  ModelPlan plan{.budget = residency.Budget(),
                 .strategies = {},
                 .chosen = ChoosePlan(pipeline, residency, spec, {})};
  for (const Strategy strategy : kStrategies) {
    plan.strategies.push_back(PlanWith(pipeline, residency, spec, strategy, {}).residency);
  }
  return plan;
}

LargestSquares FindLargest(const Pipeline& pipeline, const Residency& residency,
                           const PictureSpec& spec) {
  return {.whole = LargestSquare(pipeline, residency, spec, false),
          .in_pieces = LargestSquare(pipeline, residency, spec, true)};
}

}  // namespace phasor::engine
