#include "common/job/retry_policy.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace phasor::job {
namespace {

using Source = FailureSource;

TEST(RetryPolicyTest, RetriesWhatAnotherTryMayMend) {
  struct Case {
    StatusCode code;
    Source source;
    bool retry;
  };
  const std::vector<Case> cases = {
      {StatusCode::kResourceExhausted, Source::kEngine, true},
      {StatusCode::kResourceExhausted, Source::kModel, true},
      {StatusCode::kResourceExhausted, Source::kStore, true},
      {StatusCode::kInternal, Source::kEngine, true},
      {StatusCode::kUnknown, Source::kEngine, true},
      {StatusCode::kUnavailable, Source::kStore, true},
      {StatusCode::kAborted, Source::kEngine, true},
      {StatusCode::kDeadlineExceeded, Source::kStore, true},
      {StatusCode::kFailedPrecondition, Source::kEngine, true},
      {StatusCode::kDataLoss, Source::kEngine, true},
      {StatusCode::kPermissionDenied, Source::kStore, true},
      {StatusCode::kInvalidArgument, Source::kRequest, false},
      {StatusCode::kInvalidArgument, Source::kEngine, false},
      {StatusCode::kInvalidArgument, Source::kModel, false},
      {StatusCode::kOutOfRange, Source::kEngine, false},
      {StatusCode::kUnimplemented, Source::kEngine, false},
      {StatusCode::kNotFound, Source::kModel, false},
      {StatusCode::kDataLoss, Source::kModel, false},
      {StatusCode::kDataLoss, Source::kRequest, false},
      {StatusCode::kFailedPrecondition, Source::kModel, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(DecideRetry({.code = c.code, .source = c.source}, 0.5).retry, c.retry)
        << static_cast<int>(c.code) << " from " << static_cast<int>(c.source);
  }
}

TEST(RetryPolicyTest, GivesUpWhenTriesAreSpent) {
  const FailureFacts third{.tries = 2, .max_tries = 4};
  const FailureFacts fourth{.tries = 3, .max_tries = 4};
  EXPECT_TRUE(DecideRetry(third, 0).retry);
  EXPECT_EQ(DecideRetry(fourth, 0.9), RetryDecision{});
}

TEST(RetryPolicyTest, CrashesAloneNeverEndAJobHere) {
  EXPECT_TRUE(DecideRetry({.tries = 0, .crashes = 50}, 0).retry);
}

TEST(RetryPolicyTest, DelaysWithFullJitterBetweenOneAndThirtySeconds) {
  struct Case {
    int tries;
    int crashes;
    double draw;
    int64_t millis;
  };
  const std::vector<Case> cases = {
      {0, 0, 0, 1'000},     {0, 0, 0.5, 1'500}, {0, 0, 1, 2'000},  {1, 0, 1, 4'000},
      {0, 1, 1, 4'000},     {2, 0, 1, 8'000},   {2, 2, 0, 1'000},  {2, 2, 1, 30'000},
      {2, 90, 0.5, 15'500}, {0, 0, 7, 2'000},   {0, 0, -1, 1'000},
  };
  for (const Case& c : cases) {
    const RetryDecision decision = DecideRetry({.tries = c.tries, .crashes = c.crashes}, c.draw);
    EXPECT_TRUE(decision.retry);
    EXPECT_EQ(decision.delay.count(), c.millis)
        << c.tries << " tries, " << c.crashes << " crashes, draw " << c.draw;
  }
}

}  // namespace
}  // namespace phasor::job
