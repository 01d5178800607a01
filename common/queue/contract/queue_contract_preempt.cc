// The contract's part about making room for more urgent jobs.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {
namespace {

constexpr Millis kLong{6'000};  // beyond the floor and the wait
constexpr Millis kLease{60'000};

SubmitRequest Like(Priority priority, const std::string& model = "model-a") {
  SubmitRequest request = TestRequest(0);
  request.priority = priority;
  request.model = model;
  return request;
}

}  // namespace

TEST_P(QueueContract, ARunningJobMakesRoomForAMoreUrgentOneThatWaits) {
  SubmitMany(1, Priority::kLow);
  const Grant low = MustTake();
  queue_->Advance(kLong);
  SubmitMany(1, Priority::kUrgent);
  EXPECT_TRUE(maintenance().Preempt(10)->empty()) << "it may get a worker at once";
  EXPECT_EQ(Renew(low.fence, 1), OwnerAnswer::kOk);
  queue_->Advance(Millis(2'500));

  const std::vector<Preemption> asked = maintenance().Preempt(10).value();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].id, low.fence.id);
  EXPECT_EQ(asked[0].worker, "worker-of-node-a");
  EXPECT_FALSE(asked[0].repeated);
  EXPECT_EQ(Renew(low.fence, 2), OwnerAnswer::kPreempted);
  EXPECT_EQ(Renew(low.fence, 3), OwnerAnswer::kPreempted) << "until it is given back";
  ASSERT_EQ(maintenance().Preempt(10)->size(), 1u);
  EXPECT_TRUE(maintenance().Preempt(10)->at(0).repeated);

  ASSERT_EQ(consumer().Release(low.fence, "c", 7).value(), OwnerAnswer::kOk);
  EXPECT_TRUE(maintenance().Preempt(10)->empty());
  EXPECT_EQ(MustTake().priority, Priority::kUrgent);
  const Grant again = MustTake();
  EXPECT_EQ(again.fence.id, low.fence.id);
  EXPECT_EQ(again.step, 7);
  EXPECT_EQ(again.tries + again.crashes, 0);
  EXPECT_EQ(Renew(again.fence, 1), OwnerAnswer::kOk) << "the next owner was not asked";
}

TEST_P(QueueContract, ARenewalThatIsPreemptedExtendsTheLease) {
  SubmitMany(1, Priority::kLow);
  const Grant low = MustTake();
  queue_->Advance(kLong);
  SubmitMany(1, Priority::kUrgent);
  queue_->Advance(kLong);
  ASSERT_EQ(maintenance().Preempt(10)->size(), 1u);
  EXPECT_EQ(Renew(low.fence, 1), OwnerAnswer::kPreempted);
  queue_->Advance(Millis(10'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  EXPECT_EQ(consumer().Complete(low.fence, "r").value(), OwnerAnswer::kOk) << "it may also finish";
}

TEST_P(QueueContract, NobodyMakesRoomForAnEqualOrForAnotherModel) {
  SubmitMany(1, Priority::kHigh);
  MustTake();
  SubmitMany(3, Priority::kHigh);
  SubmitMany(3, Priority::kLow);
  SubmitMany(1, Like(Priority::kUrgent, "model-b"));
  queue_->Advance(kLong);
  EXPECT_TRUE(maintenance().Preempt(10)->empty());
}

TEST_P(QueueContract, AWorkerThatCanRunTheOtherModelMakesRoom) {
  SubmitMany(1, Priority::kLow);
  const Grant low = *TakeOf({"model-a", "model-c", "model-b"});
  SubmitMany(1, Like(Priority::kUrgent, "model-b"));
  queue_->Advance(kLong);
  ASSERT_EQ(maintenance().Preempt(10)->size(), 1u);
  EXPECT_EQ(Renew(low.fence, 1), OwnerAnswer::kPreempted);
}

TEST_P(QueueContract, TheLeastUrgentAndYoungestMakesRoomFirst) {
  SubmitMany(1, Priority::kLow);
  const JobId oldest = MustTake().fence.id;
  SubmitMany(1, Priority::kLow);
  queue_->Advance(Millis(100));
  const JobId younger = MustTake().fence.id;
  SubmitMany(1, Priority::kNormal);
  const JobId normal = MustTake().fence.id;
  queue_->Advance(kLong);
  const auto asked_after_one_more = [&] {
    SubmitMany(1, Priority::kUrgent);
    queue_->Advance(Millis(2'100));
    const std::vector<Preemption> asked = maintenance().Preempt(10).value();
    for (const Preemption& one : asked) {
      if (!one.repeated) return one.id;
    }
    return JobId();
  };
  EXPECT_EQ(asked_after_one_more(), younger);
  EXPECT_EQ(asked_after_one_more(), oldest);
  EXPECT_EQ(asked_after_one_more(), normal);
  EXPECT_EQ(asked_after_one_more(), "");
}

TEST_P(QueueContract, NoMoreJobsMakeRoomThanWait) {
  SubmitMany(6, Priority::kLow);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(Take().has_value());
  SubmitMany(2, Priority::kUrgent);
  queue_->Advance(kLong);
  EXPECT_EQ(maintenance().Preempt(1)->size(), 1u);
  EXPECT_EQ(maintenance().Preempt(10)->size(), 2u);
  EXPECT_EQ(maintenance().Preempt(10)->size(), 2u);
}

TEST_P(QueueContract, NoMoreJobsMakeRoomThanWaitHoweverManyRun) {
  SubmitMany(150, Priority::kLow);
  std::vector<Fence> running;
  for (int n = 0; n < 150; ++n) running.push_back(MustTake().fence);
  queue_->Advance(kLong);
  SubmitMany(1, Priority::kUrgent);
  queue_->Advance(kLong);
  JobId asked;
  for (int64_t round = 1; round <= 5; ++round) {
    // The one that was asked does not hear of it, and the leases' order changes.
    for (const Fence& fence : running) {
      if (fence.id != asked) Renew(fence, round);
    }
    for (const Fence& fence : running) {
      if (fence.id == asked) Renew(fence, round);
    }
    const std::vector<Preemption> answer = maintenance().Preempt(10).value();
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].repeated, round > 1);
    EXPECT_TRUE(round == 1 || answer[0].id == asked);
    asked = answer[0].id;
  }
}

TEST_P(QueueContract, AJobThatWaitsLongIsSeenBehindManyThatDoNot) {
  SubmitMany(1, Like(Priority::kLow, "model-z"));
  ASSERT_TRUE(TakeOf({"model-z"}).has_value());
  SubmitMany(1, Like(Priority::kHigh, "model-z"));
  queue_->Advance(kLong);
  for (int n = 0; n < 150; ++n) {
    SubmitMany(1, Like(Priority::kUrgent, std::string("model-y").append(std::to_string(n))));
  }
  size_t asked = 0;
  for (int call = 0; call < 5 && asked == 0; ++call) asked = maintenance().Preempt(10)->size();
  EXPECT_EQ(asked, 1u);
}

TEST_P(QueueContract, AJobHasTheFloorForAWhile) {
  SubmitMany(1, Priority::kUrgent);
  SubmitMany(1, Priority::kLow);
  Drain(1);
  queue_->Advance(kLong);
  const Grant low = MustTake();
  SubmitMany(1, Priority::kUrgent);
  queue_->Advance(Millis(4'000));
  EXPECT_TRUE(maintenance().Preempt(10)->empty()) << "it has run for four seconds";
  queue_->Advance(Millis(1'500));
  EXPECT_EQ(maintenance().Preempt(10)->size(), 1u);
}

TEST_P(QueueContract, AJobThatMadeRoomTwiceIsLeftAlone) {
  SubmitMany(1, Priority::kLow);
  for (int time = 0; time < 3; ++time) {
    const Grant low = MustTake();
    ASSERT_EQ(low.priority, Priority::kLow);
    SubmitMany(1, Priority::kUrgent);
    queue_->Advance(kLong);
    EXPECT_EQ(maintenance().Preempt(10)->size(), time < 2 ? 1u : 0u);
    EXPECT_EQ(Renew(low.fence, 1), time < 2 ? OwnerAnswer::kPreempted : OwnerAnswer::kOk);
    ASSERT_EQ(consumer().Release(low.fence, "", 0).value(), OwnerAnswer::kOk);
    ASSERT_EQ(Drain(1)[0].priority, Priority::kUrgent);
  }
}

TEST_P(QueueContract, NobodyMakesRoomForATenantAtItsCapOrInAPause) {
  SubmitRequest urgent = Like(Priority::kUrgent);
  urgent.tenant = "tenant-b";
  ASSERT_TRUE(control().SetTenantLimits("tenant-b", {.max_running = 1}).ok());
  SubmitMany(1, urgent);
  MustTake();
  SubmitMany(1, Priority::kLow);
  const Grant low = MustTake();
  SubmitMany(2, urgent);
  queue_->Advance(kLong);
  EXPECT_TRUE(maintenance().Preempt(10)->empty());
  ASSERT_TRUE(control().SetTenantLimits("tenant-b", {.max_running = 2}).ok());
  ASSERT_TRUE(control().SetPaused(true).ok());
  EXPECT_TRUE(maintenance().Preempt(10)->empty());
  ASSERT_TRUE(control().SetPaused(false).ok());
  const std::vector<Preemption> asked = maintenance().Preempt(10).value();
  ASSERT_EQ(asked.size(), 1u) << "there is room for one of the two";
  EXPECT_EQ(asked[0].id, low.fence.id);
}

TEST_P(QueueContract, ALostWorkerTakesTheRequestToMakeRoomWithIt) {
  SubmitMany(1, Priority::kLow);
  const Grant low = MustTake();
  SubmitMany(1, Priority::kUrgent);
  queue_->Advance(kLong);
  ASSERT_EQ(maintenance().Preempt(10)->size(), 1u);
  queue_->Advance(kLease);
  ASSERT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(Renew(low.fence, 1), OwnerAnswer::kFenced);
  Drain(1);
  EXPECT_EQ(Renew(MustTake().fence, 1), OwnerAnswer::kOk);
}

}  // namespace phasor::queue
