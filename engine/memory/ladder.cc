#include "engine/memory/ladder.h"

namespace phasor::engine {
namespace {

constexpr int kAgain = 1;
constexpr int kAgainWhereItFits = 4;

}  // namespace

std::optional<Rung> NextRung(const Rung& failed, UnitKind phase, const Cuttable& cuttable,
                             bool fits) {
  if (const std::optional<Strategy> leaner = LeanerThan(failed.strategy)) {
    return Rung{*leaner, failed.cuts, 0};
  }
  const int most = fits ? kAgainWhereItFits : kAgain;
  const Rung again = {failed.strategy, failed.cuts, failed.again + 1};
  if (failed.again < most) return again;
  if (const std::optional<Cuts> finer = FinerThan(failed.cuts, phase, cuttable)) {
    return Rung{failed.strategy, *finer, most};
  }
  if (fits && failed.again < 2 * kAgainWhereItFits) return again;
  return std::nullopt;
}

std::string ActionOf(const Rung& from, const Rung& to, UnitKind phase) {
  if (from.strategy != to.strategy) return std::string(ToString(to.strategy));
  return from.cuts == to.cuts ? "AGAIN" : NameOfLast(to.cuts, phase);
}

}  // namespace phasor::engine
