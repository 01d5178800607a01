#include "common/base/clock.h"

#include <gtest/gtest.h>

namespace phasor {
namespace {

TEST(FakeClockTest, MovesWallAndSteadyTimeTogether) {
  FakeClock clock(1000);
  const SteadyTime before = clock.Steady();
  clock.Advance(Millis(250));
  EXPECT_EQ(clock.WallMillis(), 1250);
  EXPECT_DOUBLE_EQ(SecondsBetween(before, clock.Steady()), 0.25);
}

TEST(SystemClockTest, NeverRunsBackwards) {
  const SystemClock clock;
  const SteadyTime first = clock.Steady();
  EXPECT_GE(clock.Steady(), first);
  EXPECT_GT(clock.WallMillis(), 1'600'000'000'000);
}

}  // namespace
}  // namespace phasor
