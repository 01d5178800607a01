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

RunPlan PlanWith(const PlanInput& input, Strategy strategy, const Cuts& cuts) {
  return {PlanResidency(strategy, input.residency.Sizes(input.form),
                        NeedsOf(input.pipeline, input.spec, cuts), input.residency.Budget()),
          cuts};
}

RunPlan ChoosePlan(const PlanInput& input, const Cuts& cuts) {
  const MemoryBudget budget = input.residency.Budget();
  RunPlan plan = {ChooseResidency(budget, input.residency.Sizes(input.form),
                                  NeedsOf(input.pipeline, input.spec, cuts)),
                  cuts};
  if (plan.residency.FitsIn(budget)) return plan;
  const Cuttable cuttable = input.pipeline.CuttableOf(input.spec);
  for (const UnitKind phase : kPhases) {
    while (!plan.residency.FitsIn(budget, phase)) {
      const std::optional<Cuts> finer = FinerThan(plan.cuts, phase, cuttable);
      if (!finer) break;
      plan = PlanWith(input, plan.residency.strategy, *finer);
    }
  }
  return plan;
}

namespace {

// Whether a picture of this side fits, in pieces or only as a whole.
bool SquareFits(const PlanInput& input, int side, bool in_pieces) {
  PictureSpec square = input.spec;
  square.width = square.height = side;
  const RunPlan plan = ChoosePlan({input.pipeline, input.residency, square, input.form}, {});
  return plan.residency.FitsIn(input.residency.Budget()) && (in_pieces || plan.cuts.none());
}

// Larger pictures take more, so the sides that fit end somewhere.
int LargestSquare(const PlanInput& input, bool in_pieces) {
  const int multiple = input.pipeline.info().size_multiple;
  int fits = 0, too_large = picture::WidestLimits().max_size / multiple + 1;
  while (too_large - fits > 1) {
    const int middle = (fits + too_large) / 2;
    (SquareFits(input, middle * multiple, in_pieces) ? fits : too_large) = middle;
  }
  return fits * multiple;
}

}  // namespace

ModelPlan PlanModel(const PlanInput& input) {
  ModelPlan plan{
      .budget = input.residency.Budget(), .strategies = {}, .chosen = ChoosePlan(input, {})};
  for (const WeightForm form : {WeightForm::kPlain, WeightForm::kFp8, WeightForm::kNf4}) {
    const PlanInput stored{input.pipeline, input.residency, input.spec, form};
    for (const Strategy strategy : kStrategies) {
      // Where layers come and go there is little to store.
      const bool streams =
          strategy == Strategy::kBlockStream || strategy == Strategy::kSequentialOffload;
      if (form != WeightForm::kPlain && streams) continue;
      plan.strategies.push_back(PlanWith(stored, strategy, {}).residency);
    }
  }
  return plan;
}

LargestSquares FindLargest(const PlanInput& input) {
  return {.whole = LargestSquare(input, false), .in_pieces = LargestSquare(input, true)};
}

}  // namespace phasor::engine
