// The contract's part about what maintenance does and tells besides the jobs' own transitions:
// forgetting, sealing by many, counts for those who scale.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {
namespace {

SubmitRequest Kept(int n, Millis keep) {
  SubmitRequest request = TestRequest(n);
  request.keep = keep;
  return request;
}

}  // namespace

TEST_P(QueueContract, ForgetsWhatEndedLongAgoAndNothingElse) {
  MustSubmit(Kept(1, Millis(1'000)));
  MustSubmit(Kept(2, Millis(1'000)));
  MustSubmit(Kept(3, Millis(3'600'000)));
  Drain(1);
  ASSERT_TRUE(producer().Cancel(TestJobId(3), {}).ok());
  EXPECT_EQ(maintenance().Forget(10).value(), 0);
  EXPECT_EQ(maintenance().Stats()->ended, 2);
  queue_->Advance(Millis(5'000));
  EXPECT_EQ(maintenance().Forget(10).value(), 1);
  EXPECT_EQ(producer().Get(TestJobId(1), {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(View(TestJobId(2)).state, State::kQueued) << "it has not ended";
  EXPECT_EQ(View(TestJobId(3)).state, State::kCanceled);
  EXPECT_EQ(maintenance().Stats()->ended, 1);
  EXPECT_EQ(producer().Submit(TestRequest(1))->outcome, SubmitOutcome::kAccepted);
}

TEST_P(QueueContract, ForgetsTheOldestBeyondTheCapOfEndedJobs) {
  for (int n = 1; n <= 6; ++n) {
    MustSubmit(n);
    Drain(1);
    queue_->Advance(Millis(10));
  }
  MustSubmit(7);
  EXPECT_EQ(maintenance().Forget(10).value(), 0) << "there is room";
  QueueLimits limits;
  limits.max_ended = 2;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(maintenance().Forget(3).value(), 3) << "as many as the caller wants";
  EXPECT_EQ(maintenance().Forget(3).value(), 1);
  EXPECT_EQ(maintenance().Forget(3).value(), 0);
  EXPECT_EQ(AllIds({}), (std::vector<JobId>{TestJobId(7), TestJobId(6), TestJobId(5)}));
  limits.max_ended = 0;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(maintenance().Forget(10).value(), 2);
  EXPECT_EQ(View(TestJobId(7)).state, State::kQueued) << "what has not ended does not count";
}

TEST_P(QueueContract, ADeadLetterThatIsForgottenLeavesItsList) {
  MustSubmit(1);
  MustKill(1);
  EXPECT_EQ(maintenance().Stats()->dead, 1);
  QueueLimits limits;
  limits.max_ended = 0;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(maintenance().Forget(10).value(), 1);
  EXPECT_EQ(maintenance().Stats()->dead, 0);
  EXPECT_EQ(producer().Redrive(TestJobId(1), {}).status().code(), StatusCode::kNotFound);
}

TEST_P(QueueContract, AJobThatIsToBeSealedIsOneCallersForAWhile) {
  for (int n = 1; n <= 3; ++n) {
    MustSubmit(n);
    Failure failure;
    failure.fence = MustTake().fence;
    ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
    queue_->Advance(Millis(10));
  }
  const std::vector<SealRequest> first = maintenance().PendingSeals(2).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].id, TestJobId(1));
  EXPECT_EQ(first[1].id, TestJobId(2));
  const std::vector<SealRequest> second = maintenance().PendingSeals(2).value();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].id, TestJobId(3));
  EXPECT_TRUE(maintenance().PendingSeals(2)->empty());
  ASSERT_TRUE(maintenance().Adopt(TestJobId(2), State::kDead, "r").ok());
  queue_->Advance(kSealClaim);
  EXPECT_EQ(maintenance().PendingSeals(10)->size(), 2u) << "whoever had them may be gone";
}

TEST_P(QueueContract, OneCallDoesABoundedPartOfWhatIsDue) {
  SubmitRequest request = TestRequest(0);
  request.deadline_in = Millis(1'000);
  SubmitMany(100, request);
  queue_->Advance(Millis(2'000));
  int moved = 0;
  while (moved < 100) {
    const int some = maintenance().Recover(1'000).value();
    ASSERT_GT(some, 0);
    ASSERT_LE(some, kMaxMoved);
    moved += some;
  }
  EXPECT_EQ(maintenance().PendingSeals(1'000)->size(), static_cast<size_t>(kMaxSeals));
  EXPECT_EQ(maintenance().PendingSeals(1'000)->size(), 100u - kMaxSeals);
  EXPECT_TRUE(maintenance().PendingSeals(1'000)->empty());
}

TEST_P(QueueContract, QueuedJobsThatNobodyMayRunAreCountedApart) {
  ASSERT_TRUE(control().SetTenantLimits("capped", {.max_running = 1}).ok());
  SubmitRequest request = TestRequest(0);
  request.cost = 5;
  request.tenant = "capped";
  SubmitMany(3, request);
  request.tenant = "free";
  SubmitMany(1, request);
  ModelDepth depth = maintenance().Stats()->models["model-a"];
  EXPECT_EQ(depth.ready[Priority::kNormal], 4);
  EXPECT_EQ(depth.cost, 20);

  std::optional<Grant> grant;
  for (int takes = 0; takes < 3; ++takes) {  // the last one finds that the tenant is at its cap
    const std::optional<Grant> next = Take();
    if (next && next->tenant == "capped") grant = next;
  }
  ASSERT_TRUE(grant.has_value());
  depth = maintenance().Stats()->models["model-a"];
  EXPECT_EQ(depth.blocked[Priority::kNormal], 2);
  EXPECT_EQ(depth.ready[Priority::kNormal], 0);
  request.tenant = "capped";
  SubmitMany(1, request);
  EXPECT_EQ(maintenance().Stats()->models["model-a"].blocked[Priority::kNormal], 3);

  ASSERT_EQ(consumer().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
  depth = maintenance().Stats()->models["model-a"];
  EXPECT_EQ(depth.blocked[Priority::kNormal], 0);
  EXPECT_GE(depth.ready[Priority::kNormal], 3);
}

TEST_P(QueueContract, TheBacklogsCostIsThatOfTheQueuedJobs) {
  SubmitRequest request = TestRequest(1);
  request.cost = 100;
  MustSubmit(request);
  request = TestRequest(2);
  request.cost = 10;
  MustSubmit(request);
  const auto cost = [&] { return maintenance().Stats()->models["model-a"].cost; };
  EXPECT_EQ(cost(), 110);
  const Grant grant = MustTake();
  EXPECT_EQ(cost(), 10);
  ASSERT_EQ(consumer().Release(grant.fence, "", 0).value(), OwnerAnswer::kOk);
  EXPECT_EQ(cost(), 110);
  Failure failure;
  failure.fence = MustTake().fence;
  failure.retryable = true;
  failure.delay = Millis(60'000);
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  EXPECT_EQ(cost(), 10);
  ASSERT_TRUE(producer().Cancel(TestJobId(2), {}).ok());
  EXPECT_EQ(cost(), 0);
}

TEST_P(QueueContract, AnAuditOfWhatIsDueComesToAnEnd) {
  for (int n = 1; n <= 20; ++n) MustSubmit(n);
  for (int call = 0; call < 1'000; ++call) {
    const AuditReport report = maintenance().Audit(kAuditDue, 10).value();
    EXPECT_EQ(report.repaired, 0);
    if (report.looked == 0) return;
  }
  FAIL() << "it goes on for ever";
}

}  // namespace phasor::queue
