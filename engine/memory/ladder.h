// What a unit that ran out of memory is tried with next. A pure function.
//
// First the leaner strategies, which cost time and no byte. Then once more as it is: who held the
// memory may have gone, and a picture should not change for that. Then cuts, one by one.
#pragma once

#include <optional>
#include <string>

#include "engine/memory/cuts.h"
#include "engine/memory/strategy.h"

namespace phasor::engine {

struct Rung {
  Strategy strategy = Strategy::kFull;
  Cuts cuts;
  bool again = false;  // on this rung the unit has failed and is tried once more
  bool operator==(const Rung&) const = default;
};

// nullopt: there is nothing left to try.
std::optional<Rung> NextRung(const Rung& failed, UnitKind phase, const Cuttable& cuttable);

// How results and metrics name the way from one to the next: a strategy, "AGAIN", or a cut.
std::string ActionOf(const Rung& from, const Rung& to, UnitKind phase);

}  // namespace phasor::engine
