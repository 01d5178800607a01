#include "services/worker/lease/watchdog.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/worker/exit_code.h"

namespace phasor::worker {
namespace {

const Activity kStep{.of = "job job", .epoch = 1, .count = 7, .stall = Millis(20'000)};

class HangWatchTest : public ::testing::Test {
 protected:
  // Looks every 200 ms until `seconds` are over. True: it hangs at some look.
  bool LooksFor(double seconds, const std::optional<Activity>& activity) {
    bool hangs = false;
    for (int look = 0; look < seconds * 5; ++look) {
      clock_.Advance(Millis(200));
      hangs = watch_.Hangs(activity, clock_.Steady()) || hangs;
    }
    return hangs;
  }

  FakeClock clock_;
  HangWatch watch_{2};
};

TEST_F(HangWatchTest, AUnitHangsAfterTwiceWhatItWasGiven) {
  EXPECT_FALSE(LooksFor(40, kStep));
  EXPECT_TRUE(LooksFor(0.6, kStep));
}

TEST_F(HangWatchTest, AnyNewActivityBeginsAnew) {
  for (uint64_t count = 1; count < 10; ++count) {
    Activity activity = kStep;
    activity.count = count;
    EXPECT_FALSE(LooksFor(39, activity)) << count;
  }
  Activity other_job = kStep;
  other_job.of = "job other";
  EXPECT_FALSE(LooksFor(39, other_job));
  other_job.epoch = 2;
  EXPECT_FALSE(LooksFor(39, other_job)) << "the same job, taken again";
}

TEST_F(HangWatchTest, NothingHangsWhereNothingRuns) {
  EXPECT_FALSE(LooksFor(39, kStep));
  EXPECT_FALSE(LooksFor(600, std::nullopt));
  EXPECT_FALSE(LooksFor(39, kStep)) << "what was before is forgotten";
}

TEST_F(HangWatchTest, AProcessThatWasStoppedHasNotHung) {
  EXPECT_FALSE(LooksFor(1, kStep));
  clock_.Advance(Millis(600'000));
  EXPECT_FALSE(watch_.Hangs(kStep, clock_.Steady()));
  EXPECT_FALSE(LooksFor(30, kStep));
  EXPECT_TRUE(LooksFor(20, kStep));
}

class WatchdogTest : public ::testing::Test {
 protected:
  void TickFor(double seconds) {
    for (int look = 0; look < seconds * 5; ++look) {
      clock_.Advance(Millis(200));
      watchdog_.Tick();
    }
  }

  FakeClock clock_;
  std::optional<Activity> activity_;
  std::vector<std::string> ends_;
  Watchdog watchdog_{[this] { return activity_; },
                     clock_,
                     [this](const std::string& why) { ends_.push_back(why); },
                     {.factor = 2}};
};

TEST_F(WatchdogTest, EndsTheProcessOnceWhenAUnitHangs) {
  activity_ = kStep;
  TickFor(40);
  EXPECT_TRUE(ends_.empty());
  TickFor(10);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_NE(ends_[0].find("job job hangs"), std::string::npos) << ends_[0];
}

TEST_F(WatchdogTest, EndsTheProcessByTheMomentItWasGivenAndNoLater) {
  const SteadyTime now = clock_.Steady();
  watchdog_.EndBy(now + Millis(5'000), "the device is lost");
  TickFor(4);
  EXPECT_TRUE(ends_.empty());
  watchdog_.EndBy(now + Millis(60'000), "too late to say");
  TickFor(1);
  EXPECT_EQ(ends_, std::vector<std::string>{"the device is lost"});
}

TEST_F(WatchdogTest, ItsThreadLooksAndStopsWhenAsked) {
  const SystemClock clock;
  std::vector<std::string> ends;
  Watchdog watchdog([] { return std::nullopt; }, clock,
                    [&](const std::string& why) { ends.push_back(why); },
                    {.factor = 2, .every = Millis(1)});
  watchdog.EndBy(clock.Steady() - Millis(1), "at once");
  std::jthread thread([&](std::stop_token stop) { watchdog.Run(stop); });
  thread.request_stop();
  thread.join();
  EXPECT_LE(ends.size(), 1u);
  watchdog.Tick();
  EXPECT_EQ(ends, std::vector<std::string>{"at once"});
}

TEST(EndProcessTest, SaysWhyAndEndsWithItsCode) {
  EXPECT_EXIT(EndProcessAtOnce("the device is lost"), testing::ExitedWithCode(70),
              "the device is lost");
}

// A full pipe stands for a supervisor that does not read the log.
TEST(EndProcessTest, ALogThatNobodyReadsDoesNotKeepTheProcess) {
  EXPECT_EXIT(
      {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        ASSERT_GE(dup2(ends[1], STDERR_FILENO), 0);
        ASSERT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
        while (write(ends[1], "x", 1) == 1) continue;
        ASSERT_EQ(fcntl(ends[1], F_SETFL, 0), 0);
        EndProcessAtOnce("the device is lost");
      },
      testing::ExitedWithCode(70), "");
}

}  // namespace
}  // namespace phasor::worker
