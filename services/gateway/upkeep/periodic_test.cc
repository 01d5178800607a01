#include "services/gateway/upkeep/periodic.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

TEST(PeriodicTest, PausesVaryByAQuarter) {
  EXPECT_EQ(Jittered(Millis(1000), 0), Millis(750));
  EXPECT_EQ(Jittered(Millis(1000), 0.5), Millis(1000));
  EXPECT_LE(Jittered(Millis(1000), 0.999), Millis(1250));
}

TEST(PeriodicTest, TicksAgainAndAgainAlsoAfterAFailureUntilDestroyed) {
  std::atomic<int> ticks = 0;
  {
    const Periodic periodic("test", Millis(1), 7,
                            [&] { return ++ticks == 1 ? Unavailable("at first") : OkStatus(); });
    while (ticks < 3) std::this_thread::yield();
  }
  const int at_end = ticks;
  std::this_thread::yield();
  EXPECT_EQ(ticks, at_end);
}

TEST(PeriodicTest, ALongPauseDoesNotDelayTheEnd) {
  std::atomic<int> ticks = 0;
  {
    const Periodic periodic("test", std::chrono::hours(1), 7, [&] {
      ++ticks;
      return OkStatus();
    });
    while (ticks < 1) std::this_thread::yield();
  }
  EXPECT_EQ(ticks, 1);
}

}  // namespace
}  // namespace phasor::gateway
