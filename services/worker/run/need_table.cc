#include "services/worker/run/need_table.h"

#include <algorithm>
#include <optional>

namespace phasor::worker {
namespace {

constexpr double kBetweenSides = 1.2;  // each side is so many times the one before
constexpr double kNoGuidance = 1;
constexpr double kGuidance = 7.5;

std::optional<uint64_t> LeastOf(const engine::Model& model, int side, double guidance) {
  PictureSpec spec;
  spec.width = spec.height = side;
  spec.guidance_scale = guidance;
  const auto plan = model.Plan(spec);
  if (!plan.ok() || plan->strategies.empty()) return std::nullopt;
  // What is chosen may be cut where no strategy is enough.
  uint64_t least = plan->chosen.residency.phases.empty() ? plan->strategies.front().peak_bytes()
                                                         : plan->chosen.residency.peak_bytes();
  for (const engine::ResidencyPlan& one : plan->strategies) {
    least = std::min(least, one.peak_bytes());
  }
  return least;
}

}  // namespace

v1::ModelNeed NeedOf(const config::ModelCard& card, const engine::Model& model) {
  v1::ModelNeed need;
  need.set_model(card.name);
  const int multiple = std::max(1, card.limits.size_multiple);
  const int smallest = (std::max(card.limits.min_size, 1) + multiple - 1) / multiple * multiple;
  const int largest = card.limits.max_size / multiple * multiple;
  for (int side = smallest; side <= largest;) {
    const auto without = LeastOf(model, side, kNoGuidance);
    const auto with = LeastOf(model, side, kGuidance);
    if (!without || !with) break;
    v1::NeedAt* at = need.add_at();
    at->set_pixels(int64_t{side} * side);
    at->set_bytes(static_cast<int64_t>(*without));
    at->set_bytes_with_guidance(static_cast<int64_t>(*with));
    if (side == largest) break;
    const int next = static_cast<int>(side * kBetweenSides) / multiple * multiple;
    side = std::min(largest, std::max(next, side + multiple));
  }
  return need;
}

}  // namespace phasor::worker
