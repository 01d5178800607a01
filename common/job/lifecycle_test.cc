#include "common/job/lifecycle.h"

#include <array>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace phasor::job {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

constexpr std::array<State, 8> kStates = {State::kQueued,   State::kWaiting, State::kLeased,
                                          State::kSealing,  State::kDone,    State::kDead,
                                          State::kCanceled, State::kExpired};

// A job in the middle of its life whose lease, delay and deadline are all over.
Snapshot In(State state) {
  Snapshot snapshot;
  snapshot.state = state;
  snapshot.epoch = 3;
  snapshot.tries = 1;
  snapshot.crashes = 1;
  snapshot.crash_nodes = {"n1"};
  snapshot.preemptions = 1;
  if (state == State::kLeased) {
    snapshot.node = "n2";
    snapshot.lease_end_ms = kNow;
    snapshot.heard = true;
    snapshot.units = 5;
    snapshot.progress_ms = kNow - 1'000;
  }
  if (state == State::kWaiting) snapshot.ready_ms = kNow;
  if (state == State::kSealing) snapshot.want = State::kDead;
  return snapshot;
}

struct NamedEvent {
  std::string name;
  Event event;
};

const std::vector<NamedEvent> kEvents = {
    {"taken", Taken{"n2"}},
    {"renewed", Renewed{.units = 6}},
    {"asked to make room", AskedToMakeRoom{}},
    {"released", Released{}},
    {"failed, to be tried at once", Failed{.retry = true}},
    {"failed, to be tried later", Failed{.retry = true, .delay = Millis(1'000)}},
    {"failed for good", Failed{}},
    {"failed with the worker", Failed{.retry = true, .worker_lost = true}},
    {"completed", Completed{}},
    {"canceled", Canceled{}},
    {"lease ended", LeaseEnded{}},
    {"delay ended", DelayEnded{}},
    {"deadline passed", DeadlinePassed{}},
    {"record DONE", RecordFound{State::kDone}},
    {"record DEAD", RecordFound{State::kDead}},
    {"record LEASED", RecordFound{State::kLeased}},
    {"redriven", Redriven{}},
};

// What Next makes of every state under every event, in the order of kEvents; nullopt: nothing.
TEST(LifecycleTest, KnowsEveryStateAndEveryEvent) {
  constexpr auto kNo = std::nullopt;
  constexpr auto kQ = std::optional(State::kQueued);
  constexpr auto kW = std::optional(State::kWaiting);
  constexpr auto kL = std::optional(State::kLeased);
  constexpr auto kS = std::optional(State::kSealing);
  constexpr auto kDone = std::optional(State::kDone);
  constexpr auto kDead = std::optional(State::kDead);
  constexpr auto kC = std::optional(State::kCanceled);
  // clang-format off
  const std::map<State, std::vector<std::optional<State>>> table = {
      //                  take ren  room rel  now  late ever lost done canc leas dela dead  record: DONE, DEAD, LEASED  redriven
      {State::kQueued,   {kL,  kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kC,  kNo, kNo, kS,   kDone, kDead, kNo, kNo}},
      {State::kWaiting,  {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kC,  kNo, kQ,  kS,   kDone, kDead, kNo, kNo}},
      {State::kLeased,   {kNo, kL,  kL,  kQ,  kQ,  kW,  kS,  kQ,  kDone, kC, kQ, kNo, kNo,  kDone, kDead, kNo, kNo}},
      {State::kSealing,  {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kC,  kNo, kNo, kNo,  kDone, kDead, kNo, kNo}},
      {State::kDone,     {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo,  kNo,   kDead, kNo, kNo}},
      {State::kDead,     {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo,  kDone, kNo,   kNo, kQ}},
      {State::kCanceled, {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo,  kDone, kDead, kNo, kNo}},
      {State::kExpired,  {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo,  kDone, kDead, kNo, kNo}},
  };
  // clang-format on
  for (const State state : kStates) {
    ASSERT_EQ(table.at(state).size(), kEvents.size());
    for (size_t i = 0; i < kEvents.size(); ++i) {
      Snapshot snapshot = In(state);
      if (std::holds_alternative<DeadlinePassed>(kEvents[i].event)) snapshot.deadline_ms = kNow;
      const auto transition = Next(snapshot, kEvents[i].event, kNow);
      const std::optional<State> got =
          transition ? std::optional(transition->next.state) : std::nullopt;
      EXPECT_EQ(got, table.at(state)[i]) << ToString(state) << ", " << kEvents[i].name;
    }
  }
}

TEST(LifecycleTest, OnlyATakeMakesANewOwner) {
  for (const State state : kStates) {
    for (const NamedEvent& event : kEvents) {
      const auto transition = Next(In(state), event.event, kNow);
      if (!transition || std::holds_alternative<Redriven>(event.event)) continue;
      const bool taken = std::holds_alternative<Taken>(event.event);
      EXPECT_EQ(transition->next.epoch, taken ? 4 : 3) << ToString(state) << ", " << event.name;
    }
  }
}

// tries, crashes and preemptions after each event of an owner.
TEST(LifecycleTest, CountsTriesCrashesAndPreemptionsApart) {
  struct Case {
    std::string name;
    Event event;
    int tries, crashes, preemptions;
    bool solo;
  };
  const std::vector<Case> cases = {
      {"renewed", Renewed{.units = 6}, 1, 1, 1, false},
      {"asked to make room", AskedToMakeRoom{}, 1, 1, 2, false},
      {"released", Released{}, 1, 1, 1, false},
      {"completed", Completed{}, 1, 1, 1, false},
      {"canceled", Canceled{}, 1, 1, 1, false},
      {"failed", Failed{.retry = true}, 2, 1, 1, false},
      {"failed for good", Failed{}, 2, 1, 1, false},
      {"failed with the worker", Failed{.retry = true, .worker_lost = true}, 1, 2, 1, true},
      {"lease ended", LeaseEnded{}, 1, 2, 1, true},
  };
  for (const Case& c : cases) {
    const auto transition = Next(In(State::kLeased), c.event, kNow);
    ASSERT_TRUE(transition) << c.name;
    EXPECT_EQ(transition->next.tries, c.tries) << c.name;
    EXPECT_EQ(transition->next.crashes, c.crashes) << c.name;
    EXPECT_EQ(transition->next.preemptions, c.preemptions) << c.name;
    EXPECT_EQ(transition->next.solo, c.solo) << c.name;
  }
}

TEST(LifecycleTest, ATakeBeginsALeaseAndCountsProgressFromThere) {
  const auto taken = Next(In(State::kQueued), Taken{"n9", Millis(15'000)}, kNow);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->next.node, "n9");
  EXPECT_EQ(taken->next.lease_end_ms, kNow + 15'000);
  EXPECT_EQ(taken->next.progress_ms, kNow);
  EXPECT_EQ(taken->next.units, 0);
}

TEST(LifecycleTest, ATakeAfterTheDeadlineSealsInstead) {
  Snapshot late = In(State::kQueued);
  late.deadline_ms = kNow;
  const auto sealed = Next(late, Taken{"n1"}, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->next.state, State::kSealing);
  EXPECT_EQ(sealed->next.want, State::kExpired);
  EXPECT_EQ(sealed->code, "DEADLINE_EXCEEDED");
  EXPECT_EQ(sealed->next.epoch, 3) << "there is no new owner";
  late.deadline_ms = kNow + 1;
  EXPECT_EQ(Next(late, Taken{"n1"}, kNow)->next.state, State::kLeased);
}

TEST(LifecycleTest, NothingHappensBeforeItsTime) {
  Snapshot leased = In(State::kLeased), waiting = In(State::kWaiting), queued = In(State::kQueued);
  EXPECT_FALSE(Next(leased, LeaseEnded{}, kNow - 1));
  EXPECT_FALSE(Next(waiting, DelayEnded{}, kNow - 1));
  EXPECT_FALSE(Next(queued, DeadlinePassed{}, kNow)) << "it has none";
  queued.deadline_ms = kNow;
  EXPECT_FALSE(Next(queued, DeadlinePassed{}, kNow - 1));
  leased.deadline_ms = kNow;
  EXPECT_FALSE(Next(leased, DeadlinePassed{}, kNow)) << "it has been started in time";
}

TEST(LifecycleTest, ALeaseOnlyGrowsAndOnlyWithProgress) {
  struct Case {
    int64_t units;         // 5 so far
    int64_t since_ms;      // the last unit
    Millis stall;          // asked for
    int64_t lease_end_ms;  // from now; 0: stalled
    bool progress;
  };
  const std::vector<Case> cases = {
      {6, 1'000, Millis(0), 15'000, true},   {5, 1'000, Millis(0), 15'000, false},
      {5, 20'000, Millis(0), 15'000, false}, {5, 20'001, Millis(0), 0, false},
      {6, 90'000, Millis(0), 15'000, true},  {5, 20'001, Millis(60'000), 15'000, false},
      {5, 60'001, Millis(60'000), 0, false}, {4, 20'001, Millis(0), 0, false},
      {5, 20'001, Millis(5'000), 0, false},
  };
  for (const Case& c : cases) {
    Snapshot leased = In(State::kLeased);
    leased.progress_ms = kNow - c.since_ms;
    const auto renewed = Next(leased, Renewed{.units = c.units, .stall = c.stall}, kNow);
    ASSERT_EQ(renewed.has_value(), c.lease_end_ms > 0) << c.units << ", " << c.since_ms;
    if (!renewed) continue;
    EXPECT_EQ(renewed->next.lease_end_ms, kNow + c.lease_end_ms);
    EXPECT_EQ(renewed->next.progress_ms, c.progress ? kNow : leased.progress_ms);
  }
  Snapshot long_lease = In(State::kLeased);
  long_lease.lease_end_ms = kNow + 60'000;
  EXPECT_EQ(Next(long_lease, Renewed{.units = 6}, kNow)->next.lease_end_ms, kNow + 60'000);
}

TEST(LifecycleTest, FailuresAreRetriedUntilTheTriesAreSpent) {
  struct Case {
    int tries;
    bool retry;
    Millis delay;
    State state;
  };
  const std::vector<Case> cases = {
      {0, true, Millis(1'500), State::kWaiting}, {0, true, Millis(0), State::kQueued},
      {2, true, Millis(1'500), State::kWaiting}, {3, true, Millis(1'500), State::kSealing},
      {3, true, Millis(0), State::kSealing},     {0, false, Millis(0), State::kSealing},
      {0, false, Millis(9), State::kSealing},
  };
  for (const Case& c : cases) {
    Snapshot leased = In(State::kLeased);
    leased.tries = c.tries;
    const Failed failed{.retry = c.retry, .delay = c.delay, .reason = "why", .code = "INTERNAL"};
    const auto transition = Next(leased, failed, kNow);
    ASSERT_TRUE(transition);
    EXPECT_EQ(transition->next.state, c.state) << c.tries << ", " << c.retry;
    EXPECT_EQ(transition->reason, "why");
    EXPECT_EQ(transition->code, "INTERNAL");
    if (c.state == State::kSealing) {
      EXPECT_EQ(transition->next.want, State::kDead);
    }
    if (c.state == State::kWaiting) {
      EXPECT_EQ(transition->next.ready_ms, kNow + c.delay.count());
    }
  }
}

TEST(LifecycleTest, TheSameFaultOnTwoNodesIsFinal) {
  struct Case {
    std::string fault, node;   // before
    std::string again, where;  // now
    State state;
    std::string known;  // afterwards
  };
  const std::vector<Case> cases = {
      {"", "", "a", "n1", State::kWaiting, "a@n1"},
      {"a", "n1", "a", "n2", State::kSealing, "a@n1"},
      {"a", "n1", "a", "n1", State::kWaiting, "a@n1"},
      {"a", "n1", "b", "n2", State::kWaiting, "b@n2"},
      {"a", "n1", "", "n2", State::kWaiting, "a@n1"},
      {"", "", "", "n2", State::kWaiting, "@"},
      {"a", "", "a", "n2", State::kWaiting, "a@n2"},
      {"a", "n1", "a", "", State::kWaiting, "a@"},
  };
  for (const Case& c : cases) {
    Snapshot leased = In(State::kLeased);
    leased.fault = c.fault;
    leased.fault_node = c.node;
    leased.node = c.where;
    const auto next =
        Next(leased, Failed{.retry = true, .delay = Millis(1), .fault = c.again}, kNow)->next;
    EXPECT_EQ(next.state, c.state) << c.fault << "@" << c.node << ", " << c.again << "@" << c.where;
    EXPECT_EQ(next.fault + "@" + next.fault_node, c.known);
    EXPECT_EQ(next.tries, 2);
  }
}

TEST(LifecycleTest, WhatFailedStandsBehindTheOthersAndWhatWasLostOrGivenBackBeforeThem) {
  const std::map<std::string, bool> at_tail = {{"released", false},
                                               {"failed, to be tried at once", true},
                                               {"lease ended", false},
                                               {"failed with the worker", false},
                                               {"delay ended", true}};
  for (const NamedEvent& event : kEvents) {
    if (at_tail.count(event.name) == 0) continue;
    const State state = event.name == "delay ended" ? State::kWaiting : State::kLeased;
    const auto transition = Next(In(state), event.event, kNow);
    ASSERT_TRUE(transition && transition->next.state == State::kQueued) << event.name;
    EXPECT_EQ(transition->at_tail, at_tail.at(event.name)) << event.name;
  }
}

TEST(LifecycleTest, LostWorkersEndAJobOnTwoNodesOrTwiceAsManyOnOne) {
  struct Case {
    int crashes;  // before
    std::set<std::string> nodes;
    std::string node;
    State state;
  };
  const std::vector<Case> cases = {
      {0, {}, "n1", State::kQueued},
      {1, {"n1"}, "n2", State::kQueued},
      {2, {"n1"}, "n1", State::kQueued},
      {2, {"n1"}, "n2", State::kSealing},
      {2, {"n1", "n2"}, "n1", State::kSealing},
      {4, {"n1"}, "n1", State::kQueued},
      {5, {"n1"}, "n1", State::kSealing},
      {4, {}, "", State::kQueued},
      {5, {}, "", State::kSealing},
  };
  for (const Event& event : {Event(LeaseEnded{}), Event(Failed{.retry = true, .worker_lost = true}),
                             Event(Failed{.retry = false, .worker_lost = true})}) {
    for (const Case& c : cases) {
      Snapshot leased = In(State::kLeased);
      leased.crashes = c.crashes;
      leased.crash_nodes = c.nodes;
      leased.node = c.node;
      const auto transition = Next(leased, event, kNow);
      ASSERT_TRUE(transition);
      EXPECT_EQ(transition->next.state, c.state) << c.crashes << " before, on " << c.node;
      EXPECT_EQ(transition->next.crashes, c.crashes + 1);
      EXPECT_TRUE(transition->next.solo);
      if (c.state == State::kSealing) {
        EXPECT_EQ(transition->next.want, State::kDead);
        EXPECT_EQ(transition->code, "ABORTED");
        EXPECT_EQ(transition->reason.rfind("WORKER_LOST", 0), 0u);
      }
    }
  }
}

TEST(LifecycleTest, AnOwnerThatWasNeverHeardOfIsNoLostWorkerTwice) {
  Snapshot job;
  job.crashes = 1;
  const auto take_and_lose = [&](bool heard) {
    job = Next(job, Taken{"n1", Millis(100)}, kNow)->next;
    EXPECT_FALSE(job.heard) << "it belongs to the owner";
    if (heard) job = Next(job, Renewed{0, Millis(100)}, kNow)->next;
    return Next(job, LeaseEnded{}, kNow + 100).value();
  };
  for (int silence = 1; silence <= kFreeSilences; ++silence) {
    const Transition free = take_and_lose(/*heard=*/false);
    EXPECT_EQ(free.next.state, State::kQueued);
    EXPECT_FALSE(free.at_tail);
    EXPECT_EQ(free.next.silences, silence);
    EXPECT_EQ(free.next.crashes, 1);
    EXPECT_FALSE(free.next.solo);
    EXPECT_EQ(free.code, "UNAVAILABLE");
    job = free.next;
    const Transition lost = take_and_lose(/*heard=*/true);
    EXPECT_EQ(lost.next.crashes, 2) << "an owner that was heard of is lost";
    EXPECT_EQ(lost.next.silences, silence);
    job = free.next;
  }
  EXPECT_EQ(take_and_lose(/*heard=*/false).next.crashes, 2) << "it may be the job that kills them";
}

TEST(LifecycleTest, AJobMakesRoomAFewTimesAndIsThenLeftAlone) {
  Snapshot job = In(State::kLeased);
  job.preemptions = 0;
  for (int i = 1; i <= 2; ++i) {
    const auto asked = Next(job, AskedToMakeRoom{}, kNow);
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->next.preemptions, i);
    EXPECT_FALSE(Next(asked->next, AskedToMakeRoom{}, kNow)) << "once is enough";
    const auto released = Next(asked->next, Released{}, kNow);
    EXPECT_FALSE(released->next.preempted);
    job = Next(released->next, Taken{"n1"}, kNow)->next;
  }
  EXPECT_FALSE(Next(job, AskedToMakeRoom{}, kNow));
}

TEST(LifecycleTest, ARedrivenJobBeginsAnewAndAlone) {
  const auto redriven = Next(In(State::kDead), Redriven{}, kNow);
  ASSERT_TRUE(redriven);
  EXPECT_EQ(redriven->next, Snapshot{.solo = true});
}

TEST(LifecycleTest, WhatBelongsToAnOwnerEndsWithIt) {
  for (const NamedEvent& event : kEvents) {
    const auto transition = Next(In(State::kLeased), event.event, kNow);
    if (!transition || transition->next.state == State::kLeased) continue;
    EXPECT_EQ(transition->next.node, "") << event.name;
    EXPECT_EQ(transition->next.lease_end_ms, 0) << event.name;
    EXPECT_EQ(transition->next.units, 0) << event.name;
  }
}

}  // namespace
}  // namespace phasor::job
