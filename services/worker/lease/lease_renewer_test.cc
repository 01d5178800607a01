#include "services/worker/lease/lease_renewer.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

// Answers renewals as told and remembers them; nothing else is called.
class Answers final : public queue::Consumer {
 public:
  StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest&) override {
    return Unimplemented("take");
  }
  void WaitForWork(Millis) override {}
  StatusOr<queue::OwnerAnswer> Renew(const queue::RenewRequest& request) override {
    renewals.push_back(request);
    return answer;
  }
  StatusOr<queue::OwnerAnswer> Complete(const queue::Fence&, const std::string&) override {
    return Unimplemented("complete");
  }
  StatusOr<queue::FailOutcome> Fail(const queue::Failure&) override {
    return Unimplemented("fail");
  }
  StatusOr<queue::OwnerAnswer> Release(const queue::Fence&, const std::string&, int) override {
    return Unimplemented("release");
  }

  StatusOr<queue::OwnerAnswer> answer = queue::OwnerAnswer::kOk;
  std::vector<queue::RenewRequest> renewals;
};

class LeaseRenewerTest : public ::testing::Test {
 protected:
  LeaseRenewerTest() {
    renewer_.Begin(job_);
    renewer_.Tick();
    queue_.renewals.clear();
  }

  void TickAfter(int64_t millis) {
    clock_.Advance(Millis(millis));
    renewer_.Tick();
  }
  StopReason Stop() const { return job_->Stop(clock_.Steady()); }

  FakeClock clock_;
  Answers queue_;
  metrics::Registry registry_;
  WorkerMetrics metrics_{registry_};
  LeaseRenewer renewer_{queue_, clock_, {}, metrics_};
  std::shared_ptr<RunningJob> job_ = std::make_shared<RunningJob>(
      queue::Fence{"job", 1, "nonce"}, OwnDeadline(clock_.Steady(), Millis(15'000)));
};

TEST_F(LeaseRenewerTest, TheQueueHearsAtOnceThatTheGrantHasCome) {
  renewer_.End(*job_);
  renewer_.Begin(job_);
  renewer_.Tick();
  ASSERT_EQ(queue_.renewals.size(), 1u);
  EXPECT_EQ(queue_.renewals[0].units, 0);
  renewer_.Tick();
  EXPECT_EQ(queue_.renewals.size(), 1u);
}

TEST_F(LeaseRenewerTest, RenewsEveryFourSecondsWithWhatTheRunHasDone) {
  TickAfter(3'999);
  EXPECT_TRUE(queue_.renewals.empty());
  job_->BeginUnit(queue::Phase::kDenoising, Millis(90'000));
  job_->EndUnit(3);
  TickAfter(1);
  ASSERT_EQ(queue_.renewals.size(), 1u);
  EXPECT_EQ(queue_.renewals[0].units, 1);
  EXPECT_EQ(queue_.renewals[0].step, 3);
  EXPECT_EQ(queue_.renewals[0].phase, queue::Phase::kDenoising);
  EXPECT_EQ(queue_.renewals[0].stall, Millis(90'000));
  TickAfter(3'999);
  EXPECT_EQ(queue_.renewals.size(), 1u);
  TickAfter(1);
  EXPECT_EQ(queue_.renewals.size(), 2u);
}

TEST_F(LeaseRenewerTest, ARunStopsAtItsOwnDeadlineWithoutRenewals) {
  renewer_.End(*job_);
  TickAfter(11'999);
  EXPECT_EQ(Stop(), StopReason::kNone);
  TickAfter(1);
  EXPECT_EQ(Stop(), StopReason::kLeaseLost);
}

TEST_F(LeaseRenewerTest, TheOwnDeadlineCountsFromWhenTheRenewalWasSent) {
  TickAfter(4'000);
  clock_.Advance(Millis(11'999));
  EXPECT_EQ(Stop(), StopReason::kNone);
  clock_.Advance(Millis(1));
  EXPECT_EQ(Stop(), StopReason::kLeaseLost);
}

TEST_F(LeaseRenewerTest, AnUnknownOutcomeIsTriedAgainSoonAndExtendsNothing) {
  queue_.answer = Unavailable("gone");
  TickAfter(4'000);
  TickAfter(499);
  EXPECT_EQ(queue_.renewals.size(), 1u);
  TickAfter(1);
  EXPECT_EQ(queue_.renewals.size(), 2u);
  clock_.Advance(Millis(7'500));
  EXPECT_EQ(Stop(), StopReason::kLeaseLost);
}

TEST_F(LeaseRenewerTest, EachJobInHandIsRenewedInItsOwnTime) {
  clock_.Advance(Millis(1'000));
  const auto pulse = std::make_shared<Pulse>();
  const auto other = std::make_shared<RunningJob>(
      queue::Fence{"other", 1, "nonce"}, OwnDeadline(clock_.Steady(), Millis(15'000)), pulse);
  renewer_.Begin(other);
  renewer_.Tick();
  ASSERT_EQ(queue_.renewals.size(), 1u);
  EXPECT_EQ(queue_.renewals[0].fence.id, "other");
  TickAfter(3'000);
  ASSERT_EQ(queue_.renewals.size(), 2u);
  EXPECT_EQ(queue_.renewals[1].fence.id, "job");
  TickAfter(1'000);
  ASSERT_EQ(queue_.renewals.size(), 3u);
  EXPECT_EQ(queue_.renewals[2].fence.id, "other");
  renewer_.End(*job_);
  renewer_.RenewSoon();
  TickAfter(0);
  ASSERT_EQ(queue_.renewals.size(), 4u);
  EXPECT_EQ(queue_.renewals[3].fence.id, "other");
}

TEST_F(LeaseRenewerTest, AJobThatWaitsForAnotherIsAsAliveAsTheExecutor) {
  const auto pulse = std::make_shared<Pulse>();
  const SteadyTime deadline = OwnDeadline(clock_.Steady(), Millis(15'000));
  RunningJob runs({"runs", 1, "nonce"}, deadline, pulse);
  runs.BeginUnit(queue::Phase::kEncoding, Millis(10));
  runs.EndUnit(0);
  RunningJob waits({"waits", 1, "nonce"}, deadline, pulse);
  EXPECT_EQ(waits.NextRenewal().units, 0) << "nothing since it came";
  runs.BeginUnit(queue::Phase::kDenoising, Millis(90'000));
  EXPECT_EQ(waits.NextRenewal().stall, Millis(90'000));
  EXPECT_EQ(waits.NextRenewal().phase, queue::Phase::kInitializing);
  runs.EndUnit(1);
  EXPECT_EQ(waits.NextRenewal().units, 1);
  EXPECT_EQ(runs.NextRenewal().units, 2);
  EXPECT_EQ(waits.NextRenewal().step, 0);
  EXPECT_EQ(waits.activity().of, "job runs");
}

TEST_F(LeaseRenewerTest, OneJobIsAskedToStopOrAllAre) {
  const auto other = std::make_shared<RunningJob>(queue::Fence{"other", 1, "nonce"},
                                                  OwnDeadline(clock_.Steady(), Millis(15'000)));
  renewer_.Begin(other);
  renewer_.AskToStop(StopReason::kPreempted, "other");
  EXPECT_EQ(Stop(), StopReason::kNone);
  EXPECT_EQ(other->Stop(clock_.Steady()), StopReason::kPreempted);
  renewer_.AskToStop(StopReason::kDrained);
  EXPECT_EQ(Stop(), StopReason::kDrained);
  EXPECT_EQ(other->Stop(clock_.Steady()), StopReason::kDrained);
}

TEST_F(LeaseRenewerTest, AnswersBecomeReasonsToStop) {
  queue_.answer = queue::OwnerAnswer::kCanceled;
  TickAfter(4'000);
  EXPECT_EQ(Stop(), StopReason::kCanceled);
}

TEST_F(LeaseRenewerTest, ARequestToMakeRoomExtendsTheLeaseForTheTimeThatTakes) {
  queue_.answer = queue::OwnerAnswer::kPreempted;
  TickAfter(4'000);
  EXPECT_EQ(Stop(), StopReason::kPreempted);
  EXPECT_TRUE(IsOwned(Stop()));
  clock_.Advance(Millis(11'999));
  EXPECT_EQ(Stop(), StopReason::kPreempted) << "still this worker's";
  clock_.Advance(Millis(1));
  EXPECT_EQ(Stop(), StopReason::kLeaseLost);
}

TEST_F(LeaseRenewerTest, TellsWhatTheExecutorDoesForAsLongAsThereIsAJob) {
  const auto first = renewer_.activity();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->of, "job job");
  EXPECT_EQ(first->epoch, 1);
  job_->BeginUnit(queue::Phase::kDenoising, Millis(90'000));
  const auto second = renewer_.activity();
  EXPECT_GT(second->count, first->count);
  EXPECT_EQ(second->stall, Millis(90'000));
  job_->EndUnit(1);
  EXPECT_GT(renewer_.activity()->count, second->count);
  job_->BeginCall(Millis(5));
  EXPECT_EQ(renewer_.activity()->stall, Millis(5));
  renewer_.End(*job_);
  EXPECT_FALSE(renewer_.activity());
}

TEST_F(LeaseRenewerTest, AStalledRunIsNotStoppedButItsLeaseRunsOut) {
  queue_.answer = queue::OwnerAnswer::kStalled;
  TickAfter(4'000);
  EXPECT_EQ(Stop(), StopReason::kNone);
  TickAfter(8'000);
  EXPECT_EQ(Stop(), StopReason::kLeaseLost);
}

TEST_F(LeaseRenewerTest, ACheckpointCountsOnceTheQueueKnowsIt) {
  job_->SetCheckpoint("jobs/job/c/1-5", 5);
  EXPECT_EQ(job_->acknowledged_checkpoint(), "");
  renewer_.RenewSoon();
  TickAfter(0);
  ASSERT_EQ(queue_.renewals.size(), 1u);
  EXPECT_EQ(queue_.renewals[0].checkpoint, "jobs/job/c/1-5");
  EXPECT_EQ(queue_.renewals[0].checkpoint_step, 5);
  EXPECT_EQ(job_->acknowledged_checkpoint(), "jobs/job/c/1-5");
}

TEST_F(LeaseRenewerTest, AWeakerReasonNeverReplacesAStrongerOne) {
  renewer_.AskToStop(StopReason::kFenced, "another job");
  EXPECT_EQ(Stop(), StopReason::kNone);
  renewer_.AskToStop(StopReason::kFenced, "job");
  renewer_.AskToStop(StopReason::kDrained);
  EXPECT_EQ(Stop(), StopReason::kFenced);
  EXPECT_FALSE(IsOwned(Stop()));
}

}  // namespace
}  // namespace phasor::worker
