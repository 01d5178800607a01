// The contract's part about dead letters: their list, its cap, and running one again.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

TEST_P(QueueContract, DeadLettersAreListedByTheirDeathsNewestFirst) {
  for (int n = 1; n <= 5; ++n) {
    SubmitRequest request = TestRequest(n);
    if (n == 4) request.tenant = "tenant-b";
    MustSubmit(request);
  }
  for (const int n : {3, 1, 4, 2}) MustKill(n);
  ListRequest request;
  request.states = {State::kDead};
  request.limit = 3;
  EXPECT_EQ(AllIds(request),
            (std::vector<JobId>{TestJobId(2), TestJobId(4), TestJobId(1), TestJobId(3)}));
  EXPECT_EQ(producer().List(request)->jobs.size(), 3u);
  EXPECT_EQ(producer().List(request)->jobs[0].reason, "it never works");
  request.tenant = "tenant-b";
  EXPECT_EQ(AllIds(request), (std::vector<JobId>{TestJobId(4)}));
  request.tenant = "";
  request.states = {State::kDead, State::kQueued};
  EXPECT_EQ(AllIds(request).size(), 5u) << "any other choice lists by submit";
  EXPECT_EQ(AllIds(request)[0], TestJobId(5));
}

TEST_P(QueueContract, TheListOfDeadLettersIsCapped) {
  QueueLimits limits;
  limits.max_dead = 2;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  for (int n = 1; n <= 4; ++n) {
    MustSubmit(n);
    MustKill(n);
  }
  ListRequest request;
  request.states = {State::kDead};
  EXPECT_EQ(AllIds(request), (std::vector<JobId>{TestJobId(4), TestJobId(3)}));
  EXPECT_EQ(maintenance().Stats()->dead, 2);
  EXPECT_EQ(View(TestJobId(1)).state, State::kDead) << "it fell off the list, not out of the queue";
  limits.max_dead = 1;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(AllIds(request), (std::vector<JobId>{TestJobId(4)}));
}

TEST_P(QueueContract, ARedrivenDeadLetterIsANewJobThatRunsAlone) {
  SubmitRequest request = TestRequest(1);
  MustSubmit(2);  // to learn the queue's time
  request.deadline_ms = View(TestJobId(2)).enqueued_ms + 60'000;
  ASSERT_EQ(producer().Cancel(TestJobId(2), {}).value(), State::kCanceled);
  request.model = "model-a";
  request.tenant = "Some Tenant";
  request.priority = Priority::kHigh;
  MustSubmit(request);
  MustKill(1);
  queue_->Advance(Millis(100'000));

  const RedriveReply reply = producer().Redrive(request.id, {"Some Tenant"}).value();
  EXPECT_EQ(reply.id, request.id + "#2");
  EXPECT_EQ(reply.state, State::kQueued);
  EXPECT_EQ(View(request.id).state, State::kDead);
  const JobView view = View(reply.id);
  EXPECT_EQ(view.model, request.model);
  EXPECT_EQ(view.tenant, request.tenant);
  EXPECT_EQ(view.deadline_ms, 0) << "the old one has passed";
  EXPECT_EQ(maintenance().Stats()->live, 1);
  const Grant grant = MustTake();
  EXPECT_EQ(grant.fence.id, reply.id);
  EXPECT_EQ(grant.spec, request.spec);
  EXPECT_EQ(grant.priority, Priority::kHigh);
  EXPECT_TRUE(grant.solo);
  EXPECT_EQ(grant.tries + grant.crashes, 0);
  EXPECT_EQ(grant.fence.epoch, 1);
}

TEST_P(QueueContract, RedrivingTwiceIsRedrivingOnce) {
  MustSubmit(1);
  MustKill(1);
  const JobId second = producer().Redrive(TestJobId(1), {}).value().id;
  EXPECT_EQ(producer().Redrive(TestJobId(1), {}).value().id, second);
  EXPECT_EQ(maintenance().Stats()->live, 1);
  ASSERT_EQ(Drain().size(), 1u);
  const RedriveReply late = producer().Redrive(TestJobId(1), {}).value();
  EXPECT_EQ(late.id, second);
  EXPECT_EQ(late.state, State::kDone);
  EXPECT_EQ(producer().Redrive(second, {}).status().code(), StatusCode::kFailedPrecondition);
}

TEST_P(QueueContract, AGenerationThatDiesCanBeRedrivenItself) {
  MustSubmit(1);
  MustKill(1);
  const JobId second = producer().Redrive(TestJobId(1), {}).value().id;
  MustKill(second);
  EXPECT_EQ(producer().Redrive(second, {}).value().id, TestJobId(1) + "#3");
  EXPECT_EQ(producer().Redrive(TestJobId(1), {}).value().state, State::kDead);
}

TEST_P(QueueContract, OnlyADeadLetterOfTheTenantIsRedriven) {
  MustSubmit(1);
  EXPECT_EQ(producer().Redrive(TestJobId(1), {}).status().code(), StatusCode::kFailedPrecondition);
  MustKill(1);
  EXPECT_EQ(producer().Redrive(TestJobId(1), {"tenant-b"}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(producer().Redrive(TestJobId(2), {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(producer().Redrive("nonsense", {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(producer().Redrive(TestJobId(1) + "#99999", {}).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_P(QueueContract, ARedriveMindsTheCapsAndThePause) {
  MustSubmit(1);
  MustKill(1);
  QueueLimits limits;
  limits.max_per_tenant = 0;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(producer().Redrive(TestJobId(1), {}).status().code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(control().SetLimits(QueueLimits{}).ok());
  ASSERT_TRUE(control().SetPaused(true).ok());
  EXPECT_EQ(producer().Redrive(TestJobId(1), {}).status().code(), StatusCode::kUnavailable);
  ASSERT_TRUE(control().SetPaused(false).ok());
  EXPECT_TRUE(producer().Redrive(TestJobId(1), {}).ok());
}

}  // namespace phasor::queue
