#include "common/job/retry_policy.h"

#include <algorithm>
#include <cmath>

namespace phasor::job {
namespace {

constexpr double kShortestSeconds = 1;
constexpr double kLongestSeconds = 30;

// Another try, here or elsewhere, would end the same way.
bool IsHopeless(StatusCode code, FailureSource source) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kUnimplemented:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
      return source != FailureSource::kStore;
    case StatusCode::kFailedPrecondition:
    case StatusCode::kDataLoss:
      return source == FailureSource::kRequest || source == FailureSource::kModel;
    case StatusCode::kOk:
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kResourceExhausted:
    case StatusCode::kAborted:
    case StatusCode::kInternal:
    case StatusCode::kUnavailable:
    default:
      return false;
  }
}

}  // namespace

RetryDecision DecideRetry(const FailureFacts& facts, double draw) {
  if (IsHopeless(facts.code, facts.source)) return {};
  if (facts.tries + 1 >= facts.max_tries) return {};
  const int setbacks = std::clamp(facts.tries + facts.crashes, 0, 16);
  const double longest = std::min(kLongestSeconds, std::exp2(1 + setbacks));
  const double seconds =
      kShortestSeconds + std::clamp(draw, 0.0, 1.0) * (longest - kShortestSeconds);
  return {true, Millis(std::llround(seconds * 1000))};
}

}  // namespace phasor::job
