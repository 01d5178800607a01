// The contract's part about cancelling and deadlines.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

TEST_P(QueueContract, CancelEndsAJobInEveryState) {
  for (int n = 1; n <= 4; ++n) MustSubmit(n);
  const Grant leased = MustTake();  // 1
  Failure failure;
  failure.fence = MustTake().fence;  // 2 waits
  failure.retryable = true;
  failure.delay = Millis(60'000);
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  failure.fence = MustTake().fence;  // 3 is being sealed
  failure.retryable = false;
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  for (int n = 1; n <= 4; ++n) {
    EXPECT_EQ(producer().Cancel(TestJobId(n), {"tenant-b"}).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(producer().Cancel(TestJobId(n), {n % 2 == 0 ? "" : "tenant-a"}).value(),
              State::kCanceled);
    EXPECT_EQ(producer().Cancel(TestJobId(n), {}).value(), State::kCanceled);
    EXPECT_EQ(View(TestJobId(n)).state, State::kCanceled);
  }
  EXPECT_EQ(Renew(leased.fence, 1), OwnerAnswer::kCanceled);
  EXPECT_EQ(consumer().Complete(leased.fence, "r").value(), OwnerAnswer::kCanceled);
  EXPECT_EQ(consumer().Release(leased.fence, "", 0).value(), OwnerAnswer::kCanceled);
  EXPECT_EQ(maintenance().Stats()->live, 0);
  queue_->Advance(Millis(100'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  EXPECT_FALSE(Take().has_value());
}

TEST_P(QueueContract, CancelAfterTheEndAnswersHowItEnded) {
  MustSubmit(1);
  Drain();
  EXPECT_EQ(producer().Cancel(TestJobId(1), {}).value(), State::kDone);
  EXPECT_EQ(producer().Cancel(TestJobId(2), {}).status().code(), StatusCode::kNotFound);
}

TEST_P(QueueContract, AJobThatWaitsPastItsDeadlineIsSealedAsExpired) {
  for (int n = 1; n <= 2; ++n) {
    SubmitRequest request = TestRequest(n);
    MustSubmit(TestRequest(10 + n));  // to learn the queue's time
    request.deadline_ms = View(TestJobId(10 + n)).enqueued_ms + 30'000;
    MustSubmit(request);
  }
  Drain(1);
  queue_->Advance(Millis(31'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 2);
  const std::vector<SealRequest> seals = *maintenance().PendingSeals(10);
  ASSERT_EQ(seals.size(), 2u);
  EXPECT_EQ(seals[0].want, State::kExpired);
  EXPECT_EQ(seals[0].code, "DEADLINE_EXCEEDED");
  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kExpired, "").ok());
  EXPECT_EQ(View(TestJobId(1)).state, State::kExpired);
}

TEST_P(QueueContract, ALeasedJobIsNotExpiredUnderItsOwner) {
  MustSubmit(10);
  SubmitRequest request = TestRequest(1);
  request.deadline_ms = View(TestJobId(10)).enqueued_ms + 5'000;
  MustSubmit(request);
  Drain(1);
  const Grant grant = MustTake();
  EXPECT_EQ(grant.deadline_ms, request.deadline_ms);
  queue_->Advance(Millis(10'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  ASSERT_EQ(consumer().Release(grant.fence, "", 0).value(), OwnerAnswer::kOk);
  EXPECT_FALSE(Take().has_value()) << "a take does not give out what is too late";
  EXPECT_EQ(View(TestJobId(1)).state, State::kSealing);
}

}  // namespace phasor::queue
