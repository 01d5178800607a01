#include "engine/checkpoint/checkpoint_pace.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

// Works in units of `unit` seconds until `seconds` are done; what checkpoints cost, in seconds.
double SpentBy(CheckpointPace& pace, double seconds, double unit, double cost) {
  double spent = 0;
  for (double worked = 0; worked < seconds; worked += unit) {
    if (!pace.Worked(unit)) continue;
    spent += cost;
    pace.Took(cost);
  }
  return spent;
}

TEST(CheckpointPaceTest, SpendsAtMostItsShare) {
  for (const double cost : {0.0001, 0.02, 0.5, 2.5}) {
    CheckpointPace pace({.share = 0.01, .first_cost = 0.01});
    const double spent = SpentBy(pace, 10'000, 0.1, cost);
    EXPECT_GT(spent, 0) << cost;
    // The first one is paced by the presumed cost.
    EXPECT_LE(spent, 0.0101 * 10'000 + cost) << cost;
  }
}

TEST(CheckpointPaceTest, ADearCheckpointMakesTheNextOneWait) {
  CheckpointPace pace({.share = 0.01, .first_cost = 0.01});
  EXPECT_FALSE(pace.Worked(0.9));
  EXPECT_TRUE(pace.Worked(0.2));
  pace.Took(1);
  EXPECT_FALSE(pace.Worked(99));
  EXPECT_TRUE(pace.Worked(2));
}

TEST(CheckpointPaceTest, OneSlowWriteIsForgottenAfterTwoQuickOnes) {
  CheckpointPace pace({.share = 0.01, .first_cost = 0.01});
  pace.Took(2);
  pace.Took(0.01);
  EXPECT_FALSE(pace.Worked(150)) << "the dearer of the last two";
  pace.Took(0.01);
  EXPECT_TRUE(pace.Worked(1.1));
}

TEST(CheckpointPaceTest, AStoreThatIsTooSlowIsStillAskedNowAndThen) {
  CheckpointPace pace({.share = 0.01, .longest = 300});
  pace.Took(60);  // worth 6,000 s of work
  EXPECT_FALSE(pace.Worked(299));
  EXPECT_TRUE(pace.Worked(1));
}

TEST(CheckpointPaceTest, ShortRunsNeedNone) {
  CheckpointPace pace({.first_cost = 0, .shortest = 5});
  EXPECT_FALSE(pace.Worked(4.9));
  EXPECT_TRUE(pace.Worked(0.1));
  pace.Begin();
  EXPECT_FALSE(pace.Worked(4.9)) << "a new run";
}

}  // namespace
}  // namespace phasor::engine
