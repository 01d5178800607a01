#include "common/job/verdict.h"

#include <algorithm>
#include <cmath>

namespace phasor::job {
namespace {

constexpr double kShortestSeconds = 1;
constexpr double kLongestSeconds = 30;

Millis DelayAfter(int setbacks, double draw) {
  const double longest = std::min(kLongestSeconds, std::exp2(1 + std::clamp(setbacks, 0, 16)));
  const double seconds =
      kShortestSeconds + std::clamp(draw, 0.0, 1.0) * (longest - kShortestSeconds);
  return Millis(std::llround(seconds * 1000));
}

// The next try is the last one when this was the last but one.
Relief ReliefFor(const FailureFacts& facts) {
  if (facts.error != ErrorClass::kOutOfMemory) return Relief::kNone;
  const bool last = facts.tries + 2 >= facts.max_tries;
  return last && facts.allow_degradation ? Relief::kSmallerPicture : Relief::kCheaperPlan;
}

}  // namespace

Verdict Judge(const FailureFacts& facts, double draw) {
  if (!MayPass(facts.error)) return {};
  if (facts.error == ErrorClass::kDeviceLost) return {.retry = true, .worker_lost = true};
  return {.retry = true,
          .delay = DelayAfter(facts.tries + facts.crashes, draw),
          .relief = ReliefFor(facts)};
}

std::string_view ToString(Relief relief) {
  switch (relief) {
    case Relief::kNone:
      return "none";
    case Relief::kCheaperPlan:
      return "cheaper_plan";
    case Relief::kSmallerPicture:
      return "smaller_picture";
  }
  return "unknown";
}

}  // namespace phasor::job
