// Random lives of jobs: whatever happens in whatever order, the invariants hold and every life
// that goes on ends.

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/job/lifecycle.h"
#include "common/job/verdict.h"
#include "gtest/gtest.h"

namespace phasor::job {
namespace {

class Walk {
 public:
  explicit Walk(uint32_t seed) : random_(seed) {
    limits_.max_tries = Below(5) + 1;
    limits_.max_crashes = Below(4) + 1;
    limits_.max_preemptions = Below(3);
    drains_left_ = Below(5);
    if (Below(3) == 0) job_.deadline_ms = now_ + Below(60'000);
  }

  // One event at a random moment. False: the walk is over.
  bool Go() {
    now_ += Below(8'000);
    const Event event = Draw();
    const Snapshot before = job_;
    const auto transition = Next(job_, event, now_, limits_);
    if (transition) {
      job_ = transition->next;
      Check(before, event);
    }
    ++events_;
    return !IsTerminal(job_.state);
  }

  const Snapshot& job() const { return job_; }
  int events() const { return events_; }

 private:
  int Below(int n) { return static_cast<int>(random_() % n); }

  Event Draw() {
    const int kind = Below(12);
    switch (kind) {
      case 0:
      case 1:
        return Taken{"n" + std::to_string(Below(3))};
      case 2:
        return Renewed{.units = job_.units + Below(2)};
      case 3:
        return AskedToMakeRoom{};
      case 4:
        if (drains_left_ == 0 && !job_.preempted) return DelayEnded{};
        if (!job_.preempted && job_.state == State::kLeased) --drains_left_;
        return Released{};
      case 5:
        return Failure();
      case 6:
        return LeaseEnded{};
      case 7:
        return DelayEnded{};
      case 8:
        return DeadlinePassed{};
      default:
        return End();
    }
  }

  Event Failure() {
    const ErrorClass error = kErrorClasses[Below(kErrorClasses.size())];
    const Verdict verdict = Judge({.error = error, .tries = job_.tries, .crashes = job_.crashes},
                                  Below(1'000) / 1'000.0);
    return Failed{.retry = verdict.retry,
                  .delay = verdict.delay,
                  .worker_lost = verdict.worker_lost,
                  .reason = "why",
                  .code = "INTERNAL"};
  }

  // What writes or reads the terminal record, which the first writer decides. Rare, or else no
  // life would last; a sealed job waits for nothing else.
  Event End() {
    if (job_.state == State::kSealing) {
      if (!record_) record_ = job_.want;
      return RecordFound{*record_};
    }
    if (Below(20) > 0) return Renewed{.units = job_.units + 1};
    if (job_.state == State::kLeased && !record_) record_ = State::kDone;
    if (!record_) record_ = State::kCanceled;
    if (record_ == State::kCanceled) return Canceled{};
    if (job_.state == State::kLeased) return Completed{};
    return RecordFound{*record_};
  }

  void Check(const Snapshot& before, const Event& event) {
    ASSERT_FALSE(IsTerminal(before.state)) << "a terminal job changed";
    const bool owner_changed = std::holds_alternative<Taken>(event) && job_.state == State::kLeased;
    ASSERT_EQ(job_.epoch, before.epoch + (owner_changed ? 1 : 0));
    ASSERT_GE(job_.tries, before.tries);
    ASSERT_GE(job_.crashes, before.crashes);
    ASSERT_GE(job_.silences, before.silences);
    ASSERT_LE(
        job_.tries - before.tries + job_.crashes - before.crashes + job_.silences - before.silences,
        1)
        << "counted twice";
    ASSERT_LE(job_.silences, kFreeSilences);
    ASSERT_LE(job_.tries, limits_.max_tries);
    ASSERT_LE(job_.crashes, 2 * limits_.max_crashes);
    ASSERT_LE(job_.preemptions, limits_.max_preemptions);
    ASSERT_LE(job_.crash_nodes.size(), static_cast<size_t>(job_.crashes));
    ASSERT_GE(job_.solo, before.solo);
    ASSERT_EQ(job_.deadline_ms, before.deadline_ms);
    if (job_.state == State::kLeased) {
      ASSERT_GE(job_.lease_end_ms, before.lease_end_ms);
    }
    if (job_.state == State::kSealing) {
      ASSERT_TRUE(IsTerminal(job_.want));
    }
    if (IsTerminal(job_.state) && record_) {
      ASSERT_EQ(job_.state, *record_);
    }
  }

  std::mt19937 random_;
  LifecycleLimits limits_;
  Snapshot job_;
  std::optional<State> record_;
  int64_t now_ = 1'700'000'000'000;
  int drains_left_ = 0;
  int events_ = 0;
};

TEST(LifecycleWalkTest, EveryLifeKeepsTheInvariantsAndEnds) {
  std::map<State, int> ends;
  int longest = 0;
  for (uint32_t seed = 1; seed <= 20'000; ++seed) {
    Walk walk(seed);
    while (walk.events() < 5'000 && walk.Go()) {
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
    }
    if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
    ASSERT_TRUE(IsTerminal(walk.job().state)) << "seed " << seed << " never ends";
    ++ends[walk.job().state];
    longest = std::max(longest, walk.events());
  }
  for (const State end : {State::kDone, State::kDead, State::kCanceled, State::kExpired}) {
    EXPECT_GT(ends[end], 200) << ToString(end) << " was hardly reached";
  }
  RecordProperty("longest", longest);
}

// The same walks without any end from outside: the counters alone must end a job that only fails.
TEST(LifecycleWalkTest, AJobThatOnlyFailsIsSealedAfterABoundedNumberOfOwners) {
  for (const ErrorClass error : kErrorClasses) {
    for (int nodes = 1; nodes <= 3; ++nodes) {
      Snapshot job;
      int64_t now = 1'000'000;
      int owners = 0;
      while (job.state != State::kSealing) {
        now += 60'000;
        ASSERT_LE(owners, 7) << ToString(error);
        if (job.state == State::kWaiting) job = Next(job, DelayEnded{}, now)->next;
        job = Next(job, Taken{"n" + std::to_string(owners++ % nodes)}, now)->next;
        const Verdict verdict =
            Judge({.error = error, .tries = job.tries, .crashes = job.crashes}, 0.5);
        job = Next(job,
                   Failed{.retry = verdict.retry,
                          .delay = verdict.delay,
                          .worker_lost = verdict.worker_lost,
                          .fault = MayBeTheJobs(error) ? "fault" : ""},
                   now)
                  ->next;
      }
      EXPECT_EQ(job.want, State::kDead);
      const int expected = !MayPass(error)                    ? 1
                           : error == ErrorClass::kDeviceLost ? (nodes == 1 ? 6 : 3)
                           : nodes > 1 && MayBeTheJobs(error) ? 2
                                                              : 4;
      EXPECT_EQ(owners, expected) << ToString(error) << " on " << nodes << " nodes";
    }
  }
}

}  // namespace
}  // namespace phasor::job
