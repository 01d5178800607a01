#include "engine/runtime/run_plan.h"

#include <algorithm>
#include <vector>

#include <ATen/Context.h>

#include "common/picture/limits.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

constexpr UnitKind kPhases[] = {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode};

// What is computed at once in a phase.
UnitShape ShapeOf(UnitKind phase, const PictureSpec& spec, const Cuts& cuts) {
  UnitShape shape{phase, spec.width, spec.height, spec.guidance_scale > 1 && !cuts.split_guidance};
  if (phase == UnitKind::kDecode && cuts.vae_tile > 0) {
    shape.width = std::min(shape.width, cuts.vae_tile);
    shape.height = std::min(shape.height, cuts.vae_tile);
  }
  return shape;
}

uint64_t Times(uint64_t bytes, double factor) {
  return static_cast<uint64_t>(static_cast<double>(bytes) * factor);
}

// As LibTorch is set for the process.
PassKernels KernelsNow() {
  return {.threads = at::get_num_threads(),
          .plain_attention = !at::globalContext().userEnabledFlashSDP() &&
                             !at::globalContext().userEnabledMemEfficientSDP()};
}

// What libraries take is what they are told, so no measurement of a pass changes it.
std::vector<PhaseNeed> NeedsOf(const PlanInput& input, const Cuts& cuts) {
  const PassKernels kernels = KernelsNow();
  const LibraryAllowance libraries = input.residency.Libraries();
  std::vector<PhaseNeed> needs;
  for (const UnitKind phase : kPhases) {
    const PassPeak pass = input.pipeline.PassOf(phase, input.spec, cuts, kernels);
    const double factor = MemoryFactor(input.calibration, ShapeOf(phase, input.spec, cuts));
    const bool on_host = phase == UnitKind::kDecode && cuts.decode_on_host;
    const uint64_t extra = on_host ? 0 : libraries.Of(phase);
    needs.push_back({phase,
                     {Times(pass.resident, factor) + extra, Times(pass.streamed, factor) + extra},
                     on_host});
  }
  return needs;
}

}  // namespace

Cuttable CuttableIn(const PlanInput& input) {
  Cuttable cuttable = input.pipeline.CuttableOf(input.spec);
  cuttable.host_decodes = input.residency.IsApart();
  return cuttable;
}

RunPlan PlanWith(const PlanInput& input, Strategy strategy, const Cuts& cuts) {
  return {PlanResidency(strategy, input.residency.Sizes(input.form), NeedsOf(input, cuts),
                        input.residency.Budget()),
          cuts};
}

RunPlan ChoosePlan(const PlanInput& input, const Cuts& cuts) {
  const MemoryBudget budget = input.residency.Budget();
  RunPlan plan = {ChooseResidency(budget, input.residency.Sizes(input.form), NeedsOf(input, cuts)),
                  cuts};
  if (plan.residency.FitsIn(budget)) return plan;
  const Cuttable cuttable = CuttableIn(input);
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
  const RunPlan plan =
      ChoosePlan({input.pipeline, input.residency, input.calibration, square, input.form}, {});
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
  ModelPlan plan{.budget = input.residency.Budget(),
                 .strategies = {},
                 .seconds = {},
                 .warnings = {},
                 .chosen = ChoosePlan(input, {})};
  for (const WeightForm form : {WeightForm::kPlain, WeightForm::kFp8, WeightForm::kNf4}) {
    const PlanInput stored{input.pipeline, input.residency, input.calibration, input.spec, form};
    for (const Strategy strategy : kStrategies) {
      // Where layers come and go there is little to store.
      const bool streams =
          strategy == Strategy::kBlockStream || strategy == Strategy::kSequentialOffload;
      if (form != WeightForm::kPlain && streams) continue;
      plan.strategies.push_back(PlanWith(stored, strategy, {}).residency);
      plan.seconds.push_back(RunSeconds(input.calibration, plan.strategies.front(),
                                        plan.strategies.back(), input.spec));
    }
  }
  return plan;
}

LargestSquares FindLargest(const PlanInput& input) {
  return {.whole = LargestSquare(input, false), .in_pieces = LargestSquare(input, true)};
}

}  // namespace phasor::engine
