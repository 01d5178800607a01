#include "engine/memory/ladder.h"

namespace phasor::engine {

std::optional<Rung> NextRung(const Rung& failed, UnitKind phase, const Cuttable& cuttable) {
  if (const std::optional<Strategy> leaner = LeanerThan(failed.strategy)) {
    return Rung{*leaner, failed.cuts, false};
  }
  if (!failed.again) return Rung{failed.strategy, failed.cuts, true};
  if (const std::optional<Cuts> finer = FinerThan(failed.cuts, phase, cuttable)) {
    return Rung{failed.strategy, *finer, true};
  }
  return std::nullopt;
}

std::string ActionOf(const Rung& from, const Rung& to, UnitKind phase) {
  if (from.strategy != to.strategy) return std::string(ToString(to.strategy));
  return from.cuts == to.cuts ? "AGAIN" : NameOfLast(to.cuts, phase);
}

}  // namespace phasor::engine
