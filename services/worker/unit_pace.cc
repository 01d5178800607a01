#include "services/worker/unit_pace.h"

#include <algorithm>
#include <cmath>

namespace phasor::worker {
namespace {

constexpr double kNewest = 0.3;  // weight of the newest unit in the smoothed time
constexpr size_t kMostRemembered = 256;
constexpr Millis kLongestStall{600'000};
constexpr int kUnknown = 6;  // times the shortest stall

}  // namespace

void UnitPace::Note(const Shape& shape, engine::UnitKind kind, double seconds) {
  if (seconds_.size() >= kMostRemembered) seconds_.clear();
  const auto [entry, fresh] = seconds_.try_emplace({shape.model, shape.pixels, kind}, seconds);
  if (!fresh) entry->second += kNewest * (seconds - entry->second);
}

double UnitPace::Expected(const Shape& shape, const engine::Unit& unit) const {
  if (unit.predicted_seconds > 0) return unit.predicted_seconds;
  const auto found = seconds_.find({shape.model, shape.pixels, unit.kind});
  return found == seconds_.end() ? 0 : found->second;
}

double UnitPace::SecondsLeft(const Shape& shape, const engine::Unit& next, int images) const {
  using engine::UnitKind;
  const auto each = [&](UnitKind kind) {
    return kind == next.kind ? Expected(shape, next) : Expected(shape, {.kind = kind});
  };
  const double decode = each(UnitKind::kDecode) * images;
  switch (next.kind) {
    case UnitKind::kStep: {
      const double step = each(UnitKind::kStep);
      return step > 0 ? step * (next.count - next.index) + decode : 0;
    }
    case UnitKind::kDecode:
      return each(UnitKind::kDecode) * (next.count - next.index);
    case UnitKind::kEncode:
    case UnitKind::kDone:
      return 0;
  }
  return 0;
}

double UnitPace::RunSeconds(const Shape& shape, const engine::Unit& next, int steps,
                            int images) const {
  using engine::UnitKind;
  if (next.kind != UnitKind::kEncode) return SecondsLeft(shape, next, images);
  const double rest = SecondsLeft(shape, {UnitKind::kStep, 0, steps}, images);
  return rest > 0 ? Expected(shape, next) + rest : 0;
}

Millis UnitPace::Stall(const Shape& shape, const engine::Unit& unit) const {
  const double expected = Expected(shape, unit);
  if (expected <= 0) return kUnknown * shortest_stall_;
  const Millis stall{std::llround(15 * 1000 * expected)};
  return std::max(shortest_stall_, std::min(stall, kLongestStall));
}

}  // namespace phasor::worker
