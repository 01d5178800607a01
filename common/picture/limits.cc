#include "common/picture/limits.h"

namespace phasor::picture {
namespace {

bool IsUpper(const Limit& limit) { return limit.name.substr(0, 4) == "max_"; }

}  // namespace

double ValueOf(const Limits& limits, const LimitField& field) {
  return std::visit([&](auto member) { return static_cast<double>(limits.*member); }, field);
}

Limits WidestLimits() {
  Limits widest;
  for (const Limit& limit : LimitTable()) {
    const double value = IsUpper(limit) ? limit.high : limit.low;
    std::visit([&](auto member) { widest.*member = static_cast<int>(value); }, limit.field);
  }
  return widest;
}

}  // namespace phasor::picture
