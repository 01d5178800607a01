#include "common/job/verdict.h"

#include <vector>

#include "gtest/gtest.h"

namespace phasor::job {
namespace {

TEST(VerdictTest, RetriesWhatMayPassHoweverOftenItFailed) {
  for (const ErrorClass error : kErrorClasses) {
    for (int tries = 0; tries < 6; ++tries) {
      const Verdict verdict = Judge({.error = error, .tries = tries, .max_tries = 4}, 0.5);
      EXPECT_EQ(verdict.retry, MayPass(error)) << ToString(error) << ", " << tries;
      if (!verdict.retry) {
        EXPECT_EQ(verdict, Verdict{});
      }
    }
  }
}

TEST(VerdictTest, ALostDeviceIsTheWorkersLossAndNeedsNoPause) {
  const Verdict verdict = Judge({.error = ErrorClass::kDeviceLost, .tries = 3}, 0.9);
  EXPECT_TRUE(verdict.worker_lost);
  EXPECT_EQ(verdict.delay, Millis(0));
  for (const ErrorClass error : kErrorClasses) {
    EXPECT_EQ(Judge({.error = error}, 0.5).worker_lost, error == ErrorClass::kDeviceLost);
  }
}

TEST(VerdictTest, CrashesAloneNeverEndAJobHere) {
  EXPECT_TRUE(Judge({.tries = 0, .crashes = 50}, 0).retry);
}

TEST(VerdictTest, DelaysWithFullJitterBetweenOneAndThirtySeconds) {
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
    const Verdict verdict = Judge({.tries = c.tries, .crashes = c.crashes}, c.draw);
    EXPECT_TRUE(verdict.retry);
    EXPECT_EQ(verdict.delay.count(), c.millis)
        << c.tries << " tries, " << c.crashes << " crashes, draw " << c.draw;
  }
}

TEST(VerdictTest, MemoryAsksForACheaperPlanAndForASmallerPictureOnlyAtTheEndAndIfAllowed) {
  struct Case {
    int tries;
    bool allowed;
    Relief relief;
  };
  using enum Relief;
  const std::vector<Case> cases = {
      {0, false, kCheaperPlan},   {1, false, kCheaperPlan},   {2, false, kCheaperPlan},
      {9, false, kCheaperPlan},   {0, true, kCheaperPlan},    {1, true, kCheaperPlan},
      {2, true, kSmallerPicture}, {3, true, kSmallerPicture},
  };
  for (const Case& c : cases) {
    const Verdict verdict = Judge({.error = ErrorClass::kOutOfMemory,
                                   .tries = c.tries,
                                   .max_tries = 4,
                                   .allow_degradation = c.allowed},
                                  0);
    EXPECT_EQ(verdict.relief, c.relief)
        << c.tries << ", allowed: " << c.allowed << ", got " << ToString(verdict.relief);
  }
  EXPECT_EQ(Judge({.error = ErrorClass::kInternal, .allow_degradation = true}, 0).relief, kNone);
}

}  // namespace
}  // namespace phasor::job
