#include "services/cli/up/supervisor.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

using Deed = Supervisor::Deed;
using Action = Supervisor::Action;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SupervisorTest : public ::testing::Test {
 protected:
  std::vector<Action> After(Millis time) {
    clock_.Advance(time);
    return supervisor_.Tick(clock_.Steady());
  }
  std::vector<Action> Now() { return After(Millis(0)); }

  // Everything runs and serves.
  void StartAll() {
    for (int stage = 0; stage < 3; ++stage) {
      for (const Action& action : Now()) supervisor_.Started(action.child, clock_.Steady());
      supervisor_.StageReady(stage);
    }
  }
  void Exit(size_t child) { supervisor_.Exited(child, clock_.Steady()); }

  FakeClock clock_;
  Supervisor supervisor_{{{.name = "redis", .stage = 0},
                          {.name = "gateway", .stage = 1},
                          {.name = "worker-1", .stage = 2},
                          {.name = "worker-2", .stage = 2}},
                         {.shortest = Millis(500), .longest = Millis(4'000)}};
};

TEST_F(SupervisorTest, StartsAStageWhenTheOneBelowServes) {
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kStart, 0}));
  EXPECT_THAT(Now(), IsEmpty()) << "an action is given once";
  supervisor_.Started(0, clock_.Steady());
  EXPECT_THAT(After(Millis(10'000)), IsEmpty());
  supervisor_.StageReady(0);
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kStart, 1}));
  supervisor_.Started(1, clock_.Steady());
  supervisor_.StageReady(1);
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kStart, 2}, Action{Deed::kStart, 3}));
}

TEST_F(SupervisorTest, AProcessThatEndsBeforeTheFleetIsReadyIsAFailure) {
  Now();
  supervisor_.Started(0, clock_.Steady());
  Exit(0);
  EXPECT_EQ(supervisor_.failed(), 0u);
}

TEST_F(SupervisorTest, StartsAgainWithABackOffThatDoubles) {
  StartAll();
  for (const int64_t pause : {500, 1'000, 2'000, 4'000, 4'000}) {
    Exit(2);
    EXPECT_THAT(After(Millis(pause - 1)), IsEmpty()) << pause;
    EXPECT_THAT(After(Millis(1)), ElementsAre(Action{Deed::kStart, 2})) << pause;
    supervisor_.Started(2, clock_.Steady());
  }
  EXPECT_FALSE(supervisor_.failed().has_value());
}

TEST_F(SupervisorTest, ForgivesAProcessThatRanLong) {
  StartAll();
  Exit(2);
  After(Millis(500));
  supervisor_.Started(2, clock_.Steady());
  clock_.Advance(Millis(60'000));
  Exit(2);
  EXPECT_THAT(After(Millis(500)), ElementsAre(Action{Deed::kStart, 2}));
}

TEST_F(SupervisorTest, StopsFromTheTop) {
  StartAll();
  supervisor_.Stop();
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kTerminate, 2}, Action{Deed::kTerminate, 3}));
  Exit(2);
  EXPECT_THAT(Now(), IsEmpty()) << "worker-2 has not ended";
  Exit(3);
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kTerminate, 1}));
  Exit(1);
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kTerminate, 0}));
  EXPECT_FALSE(supervisor_.done());
  Exit(0);
  EXPECT_TRUE(supervisor_.done());
}

TEST_F(SupervisorTest, KillsWhatDoesNotEndInTime) {
  StartAll();
  supervisor_.Stop();
  Now();
  Exit(3);
  EXPECT_THAT(After(Millis(4'999)), IsEmpty());
  EXPECT_THAT(After(Millis(1)), ElementsAre(Action{Deed::kKill, 2}));
  EXPECT_THAT(After(Millis(60'000)), IsEmpty());
}

TEST_F(SupervisorTest, KillsEverythingWhenAskedTwice) {
  StartAll();
  supervisor_.Stop();
  Now();
  supervisor_.StopNow();
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kKill, 0}, Action{Deed::kKill, 1},
                                 Action{Deed::kKill, 2}, Action{Deed::kKill, 3}));
}

TEST_F(SupervisorTest, DoesNotStartWhatDiedWhileStopping) {
  StartAll();
  Exit(2);
  supervisor_.Stop();
  EXPECT_THAT(Now(), ElementsAre(Action{Deed::kTerminate, 3}));
  Exit(3);
  EXPECT_THAT(After(Millis(60'000)), ElementsAre(Action{Deed::kTerminate, 1}));
}

}  // namespace
}  // namespace phasor::cli
