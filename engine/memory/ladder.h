// What a unit that ran out of memory is tried with next. A pure function.
//
// First the leaner strategies, which cost time and no byte. Then once more as it is: who held the
// memory may have gone, and a picture should not change for that. Then cuts, one by one. A unit
// that is expected to fit what is free now has failed for something that passes (a neighbour, a gap
// between two blocks), so it is tried more often, before it is cut and after.
#pragma once

#include <optional>
#include <string>

#include "engine/memory/cuts.h"
#include "engine/memory/strategy.h"

namespace phasor::engine {

struct Rung {
  Strategy strategy = Strategy::kFull;
  Cuts cuts;
  int again = 0;  // how often the unit was tried once more without a change
  bool operator==(const Rung&) const = default;
};

// `fits`: the failed unit was expected to fit what is free. nullopt: there is nothing left to try.
std::optional<Rung> NextRung(const Rung& failed, UnitKind phase, const Cuttable& cuttable,
                             bool fits);

// How results and metrics name the way from one to the next: a strategy, "AGAIN", or a cut.
std::string ActionOf(const Rung& from, const Rung& to, UnitKind phase);

}  // namespace phasor::engine
