// Where each part of a model is in each phase, and the most memory that a phase takes: a pure
// function of what the family declares, the shape of the request, and the strategy or the budget.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/api/memory_use.h"
#include "engine/api/unit_kind.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/strategy.h"

namespace phasor::engine {

// A part as the plan sees it.
struct PartSize {
  std::string name;
  std::vector<UnitKind> phases;  // that compute with it; empty: none does
  uint64_t bytes = 0;            // on the device, when it is resident
  // Stored in another form than it computes in: a layer's values are made when its turn comes.
  bool quantised = false;
  // Of the layer that has most to bring over, as it lies on the host.
  uint64_t largest_layer = 0;
};

// What a phase takes beside weights.
struct PhaseNeed {
  UnitKind phase = UnitKind::kDone;
  PassPeak pass;
  bool on_host = false;  // the host computes it, with its own memory
};

struct PlannedPart {
  std::string name;
  Placement placement = Placement::kAbsent;
  uint64_t bytes = 0;  // that it holds on the device for as long as the phase lasts
  uint64_t ahead = 0;  // that copies of its next layers may take beside them
  bool operator==(const PlannedPart&) const = default;
};

struct PlannedPhase {
  UnitKind phase = UnitKind::kDone;
  std::vector<PlannedPart> parts;
  uint64_t peak_bytes = 0;
};

struct ResidencyPlan {
  Strategy strategy = Strategy::kFull;
  WeightForm form = WeightForm::kPlain;
  std::vector<PlannedPhase> phases;

  std::string name() const { return NameOf(strategy, form); }

  const PlannedPhase* Of(UnitKind phase) const;  // null: it is not planned
  uint64_t peak_bytes() const;
  uint64_t peak_bytes(UnitKind phase) const;  // 0 for a phase that is not planned
  // Whether a part holds the device in one phase and not, or less of it, in another.
  bool SwapsBetweenPhases() const;
  // Whether the budget holds the peak and the 2 % that a prediction may be short by: how oneDNN
  // packs weights depends on the picture's size.
  bool FitsIn(const MemoryBudget& budget) const;
  bool FitsIn(const MemoryBudget& budget, UnitKind phase) const;
};

// Where a strategy has a part that `phases` compute with, in `phase`.
Placement PlacementOf(Strategy strategy, const std::vector<UnitKind>& phases, UnitKind phase);

// A model's parts, with their sizes in one form.
struct ModelSizes {
  WeightForm form = WeightForm::kPlain;
  std::vector<PartSize> parts;
};

// BLOCK_STREAM keeps of each part as much as the budget has room for; without a bound, nothing.
ResidencyPlan PlanResidency(Strategy strategy, const ModelSizes& sizes,
                            const std::vector<PhaseNeed>& needs, const MemoryBudget& budget);

// The cheapest strategy that fits in the budget; the leanest if none does. A prediction is
// no proof, so what it says does not fit is tried nevertheless.
ResidencyPlan ChooseResidency(const MemoryBudget& budget, const ModelSizes& sizes,
                              const std::vector<PhaseNeed>& needs);

}  // namespace phasor::engine
