#include "services/worker/run/group_turn.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using engine::UnitKind;
using job::Priority;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

HeldView At(UnitKind next, Priority priority = Priority::kNormal) {
  return {.next = next, .priority = priority, .seconds_left = 1, .swaps = true};
}

HeldView Over() { return {.over = true}; }

HeldView Asked(StopReason stop, Priority priority) { return {.stop = stop, .priority = priority}; }

constexpr auto kE = UnitKind::kEncode;
constexpr auto kS = UnitKind::kStep;
constexpr auto kD = UnitKind::kDecode;
constexpr auto kPublish = UnitKind::kDone;

TEST(GroupTurnTest, PhaseAfterPhaseAndInAPhaseJobAfterJob) {
  const Turn take{Turn::Kind::kTake, 0};
  const auto advance = [](size_t i) { return Turn{Turn::Kind::kAdvance, i}; };
  struct Case {
    const char* name;
    GroupFacts facts;
    Turn turn;
  };
  const std::vector<Case> cases = {
      {"nobody", {}, {}},
      {"one", {.members = {At(kE)}}, advance(0)},
      {"one that is encoded is joined", {.members = {At(kS)}, .may_grow = true}, take},
      {"first what came is encoded", {{At(kS), At(kE)}, 0, true}, advance(1)},
      {"encoded before any is denoised", {{At(kS), At(kE), At(kE)}, 1}, advance(1)},
      {"the one that is denoised goes on", {{At(kS), At(kS), At(kS)}, 1}, advance(1)},
      {"then the next", {{At(kD), At(kS), At(kS)}, std::nullopt}, advance(1)},
      {"decoded when all are denoised", {{At(kD), At(kD)}, std::nullopt}, advance(0)},
      {"all pictures of one first", {{At(kD), At(kD)}, 1}, advance(1)},
      {"what is drawn is published first", {{At(kS), At(kPublish), At(kS)}, 0}, advance(1)},
      {"one that is over goes before", {{At(kPublish), Over()}, 0}, {Turn::Kind::kEnd, 1}},
      {"the more urgent one goes first", {{At(kS), At(kS, Priority::kHigh)}, 0}, advance(1)},
      {"but not before its phase", {{At(kS), At(kD, Priority::kHigh)}, 0}, advance(0)},
      {"late: the oldest to its end", {{At(kD), At(kS)}, 1, false, true}, advance(0)},
      {"late: then the next", {{At(kS), At(kE)}, 1, false, true}, advance(0)},
  };
  for (const Case& c : cases) EXPECT_EQ(NextTurn(c.facts), c.turn) << c.name;
}

TEST(GroupTurnTest, AnotherJoinsWhereItIsExpectedToEndInTime) {
  const GroupConfig config{.jobs = 3, .wait = Millis(5'000)};
  HeldView unknown = At(kS), fits = At(kS), asked = At(kS), long_one = At(kS);
  unknown.seconds_left = 0;
  fits.swaps = false;
  asked.stop = StopReason::kDrained;
  long_one.seconds_left = 2.5;
  struct Case {
    const char* name;
    GrowthFacts facts;
    bool grows;
  };
  const std::vector<Case> cases = {
      {"one", {{At(kS)}, 1, Millis(100)}, true},
      {"nobody is left", {{}, 1, Millis(0)}, false},
      {"as many as may", {{At(kS), At(kS)}, 3, Millis(0)}, false},
      {"not encoded yet", {{At(kS), At(kE)}, 2, Millis(0)}, false},
      {"nothing is known of its time", {{unknown}, 1, Millis(0)}, false},
      {"all of it fits", {{fits}, 1, Millis(0)}, false},
      {"asked to stop", {{asked}, 1, Millis(0)}, false},
      {"over", {{Over()}, 1, Millis(0)}, false},
      {"just in time", {{long_one}, 1, Millis(0)}, true},
      {"too long", {{long_one}, 1, Millis(1)}, false},
      {"the longest counts for the one to come", {{At(kS), long_one}, 2, Millis(0)}, false},
      {"urgent ones wait for less", {{At(kS, Priority::kUrgent)}, 1, Millis(600)}, false},
  };
  for (const Case& c : cases) EXPECT_EQ(Grows(config, c.facts), c.grows) << c.name;
  EXPECT_FALSE(Grows({.jobs = 1}, {{At(kS)}, 1, Millis(0)})) << "off";
}

TEST(GroupTurnTest, NobodyWaitsForMoreThanAQuarterOfWhatItsClassMay) {
  const GroupConfig config{.wait = Millis(60'000)};
  EXPECT_EQ(LongestWait(config, Priority::kUrgent), Millis(2'500));
  EXPECT_EQ(LongestWait(config, Priority::kHigh), Millis(7'500));
  EXPECT_EQ(LongestWait(config, Priority::kNormal), Millis(30'000));
  EXPECT_EQ(LongestWait(config, Priority::kLow), Millis(60'000));
}

TEST(GroupTurnTest, WhoIsNoMoreUrgentMakesRoomWithTheOneThatWasAsked) {
  constexpr auto kNone = StopReason::kNone;
  constexpr auto kPreempted = StopReason::kPreempted;
  EXPECT_THAT(MakingRoom({Asked(kNone, Priority::kLow)}), IsEmpty());
  EXPECT_THAT(MakingRoom({Asked(StopReason::kCanceled, Priority::kLow)}), IsEmpty());
  EXPECT_THAT(MakingRoom({Asked(kNone, Priority::kNormal), Asked(kPreempted, Priority::kNormal),
                          Asked(kNone, Priority::kHigh), Asked(kNone, Priority::kLow)}),
              ElementsAre(0, 1, 3));
  EXPECT_THAT(MakingRoom({Asked(kPreempted, Priority::kLow), Asked(kPreempted, Priority::kHigh),
                          Asked(kNone, Priority::kNormal)}),
              ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace phasor::worker
