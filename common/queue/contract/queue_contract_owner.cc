// The contract's part about owners: grants, lost replies, renewal, fences, completing, releasing.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

TEST_P(QueueContract, AGrantCarriesWhatAWorkerNeeds) {
  SubmitRequest request = TestRequest(1);
  request.priority = Priority::kUrgent;
  MustSubmit(request);
  const Grant grant = MustTake();
  EXPECT_EQ(grant.fence.id, request.id);
  EXPECT_EQ(grant.fence.epoch, 1);
  EXPECT_EQ(grant.state, State::kLeased);
  EXPECT_EQ(grant.priority, Priority::kUrgent);
  EXPECT_EQ(grant.model, request.model);
  EXPECT_EQ(grant.tenant, request.tenant);
  EXPECT_EQ(grant.spec, request.spec);
  EXPECT_EQ(grant.lease, Millis(15'000));
  EXPECT_EQ(grant.crashes + grant.tries + grant.step, 0);
  EXPECT_FALSE(grant.solo);
  const JobView view = View(request.id);
  EXPECT_EQ(view.state, State::kLeased);
  EXPECT_EQ(view.worker, "worker-of-node-a");
  EXPECT_EQ(view.position, -1);
  EXPECT_FALSE(Take().has_value());
}

TEST_P(QueueContract, ASpecMayBeEmpty) {
  SubmitRequest request = TestRequest(1);
  request.spec.clear();
  MustSubmit(request);
  EXPECT_EQ(View(TestJobId(1)).spec, "");
  const Grant first = MustTake();
  EXPECT_EQ(first.spec, "");
  ASSERT_EQ(consumer().Release(first.fence, "", 0).value(), OwnerAnswer::kOk);
  EXPECT_EQ(MustTake().spec, "");
}

TEST_P(QueueContract, ATakeWhoseReplyWasLostGivesTheSameGrantAgain) {
  MustSubmit(1);
  MustSubmit(2);
  const Grant first = *Take("lost");
  const Grant again = *Take("lost");
  EXPECT_EQ(again.fence.id, first.fence.id);
  EXPECT_EQ(again.fence.epoch, first.fence.epoch);
  EXPECT_EQ(again.spec, first.spec);
  EXPECT_EQ(View(first.fence.id).version, 2);
  EXPECT_NE(Take("other")->fence.id, first.fence.id);
  ASSERT_EQ(consumer().Complete(first.fence, "r").value(), OwnerAnswer::kOk);
  EXPECT_FALSE(Take("lost").has_value());
}

TEST_P(QueueContract, RenewalNeedsProgress) {
  MustSubmit(1);
  const Grant grant = MustTake();
  queue_->Advance(Millis(14'000));
  EXPECT_EQ(Renew(grant.fence, 1), OwnerAnswer::kOk);
  queue_->Advance(Millis(14'000));
  EXPECT_EQ(Renew(grant.fence, 1), OwnerAnswer::kOk) << "still within the stall limit of 20 s";
  queue_->Advance(Millis(7'000));
  EXPECT_EQ(Renew(grant.fence, 1), OwnerAnswer::kStalled);
  EXPECT_EQ(Renew(grant.fence, 1, Millis(60'000)), OwnerAnswer::kOk) << "slow steps were announced";
  EXPECT_EQ(Renew(grant.fence, 2), OwnerAnswer::kOk);
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  queue_->Advance(Millis(16'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
}

TEST_P(QueueContract, AStalledLeaseRunsOut) {
  MustSubmit(1);
  const Grant grant = MustTake();
  queue_->Advance(Millis(10'000));
  EXPECT_EQ(Renew(grant.fence, 0), OwnerAnswer::kOk);
  queue_->Advance(Millis(11'000));
  EXPECT_EQ(Renew(grant.fence, 0), OwnerAnswer::kStalled);
  queue_->Advance(Millis(5'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(View(grant.fence.id).crashes, 1);
}

TEST_P(QueueContract, RenewalShowsWhereTheJobIs) {
  MustSubmit(1);
  const Grant grant = MustTake();
  RenewRequest request;
  request.fence = grant.fence;
  request.phase = Phase::kDenoising;
  request.units = 8;
  request.step = 7;
  request.checkpoint = "jobs/x/c/1-5";
  request.checkpoint_step = 5;
  ASSERT_EQ(consumer().Renew(request).value(), OwnerAnswer::kOk);
  EXPECT_EQ(View(grant.fence.id).phase, Phase::kDenoising);
  EXPECT_EQ(View(grant.fence.id).step, 7);

  queue_->Advance(Millis(16'000));
  ASSERT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(View(grant.fence.id).step, 5);
  const Grant next = MustTake();
  EXPECT_EQ(next.checkpoint, "jobs/x/c/1-5");
  EXPECT_EQ(next.step, 5);
}

TEST_P(QueueContract, ASupersededOwnerIsFencedInEveryCall) {
  MustSubmit(1);
  const Grant old = MustTake();
  queue_->Advance(Millis(16'000));
  const Grant now = MustTake();
  ASSERT_EQ(now.fence.id, old.fence.id);
  EXPECT_EQ(now.fence.epoch, 2);
  Fence forged = now.fence;
  forged.nonce = "guess";
  for (const Fence& fence : {old.fence, forged}) {
    EXPECT_EQ(Renew(fence, 5), OwnerAnswer::kFenced);
    EXPECT_EQ(consumer().Complete(fence, "r").value(), OwnerAnswer::kFenced);
    EXPECT_EQ(consumer().Release(fence, "", 0).value(), OwnerAnswer::kFenced);
    Failure failure;
    failure.fence = fence;
    EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kFenced);
  }
  EXPECT_EQ(consumer().Complete(now.fence, "r").value(), OwnerAnswer::kOk);
}

TEST_P(QueueContract, CompletingTwiceIsCompletingOnce) {
  MustSubmit(1);
  const Grant grant = MustTake();
  EXPECT_EQ(consumer().Complete(grant.fence, "where").value(), OwnerAnswer::kOk);
  EXPECT_EQ(consumer().Complete(grant.fence, "where").value(), OwnerAnswer::kRepeated);
  const JobView view = View(grant.fence.id);
  EXPECT_EQ(view.state, State::kDone);
  EXPECT_EQ(view.result, "where");
  EXPECT_EQ(maintenance().Stats()->live, 0);
}

TEST_P(QueueContract, OneCallCompletesAJobAndTakesTheNext) {
  MustSubmit(1);
  MustSubmit(2);
  const Grant first = MustTake();
  TakeRequest take;
  take.worker = "worker";
  take.node = "node-a";
  take.nonce = "second";
  take.models = {"model-a"};
  for (const OwnerAnswer expected : {OwnerAnswer::kOk, OwnerAnswer::kRepeated}) {
    const NextJob next = consumer().CompleteAndTake({first.fence, "where"}, take).value();
    EXPECT_EQ(next.completed, expected);
    ASSERT_TRUE(next.grant.has_value());
    EXPECT_EQ(next.grant->fence.id, TestJobId(2));
    EXPECT_EQ(next.grant->fence.epoch, 1) << "repeated, it gives the same";
  }
  EXPECT_EQ(View(TestJobId(1)).result, "where");
  const Fence second{TestJobId(2), 1, "second"};
  take.nonce = "third";
  const NextJob last = consumer().CompleteAndTake({second, "r"}, take).value();
  EXPECT_EQ(last.completed, OwnerAnswer::kOk);
  EXPECT_FALSE(last.grant.has_value());
  EXPECT_EQ(maintenance().Stats()->live, 0);
}

TEST_P(QueueContract, WhoHasLostItsJobTakesTheNextAllTheSame) {
  MustSubmit(1);
  const Grant old = MustTake();
  queue_->Advance(Millis(16'000));
  const Grant now = MustTake();
  MustSubmit(2);
  MustSubmit(3);
  TakeRequest take;
  take.worker = "worker";
  take.models = {"model-a"};
  take.nonce = "a";
  const NextJob fenced = consumer().CompleteAndTake({old.fence, "r"}, take).value();
  EXPECT_EQ(fenced.completed, OwnerAnswer::kFenced);
  EXPECT_EQ(fenced.grant->fence.id, TestJobId(2));
  EXPECT_EQ(View(TestJobId(1)).state, State::kLeased);
  ASSERT_TRUE(producer().Cancel(TestJobId(1), {}).ok());
  take.nonce = "b";
  const NextJob canceled = consumer().CompleteAndTake({now.fence, "r"}, take).value();
  EXPECT_EQ(canceled.completed, OwnerAnswer::kCanceled);
  EXPECT_EQ(canceled.grant->fence.id, TestJobId(3));
}

TEST_P(QueueContract, ATenantAtItsCapGetsItsNextJobWithTheCompletionOfTheLast) {
  TenantLimits limits;
  limits.max_running = 1;
  ASSERT_TRUE(control().SetTenantLimits("tenant-a", limits).ok());
  for (int n = 1; n <= 3; ++n) MustSubmit(n);
  Grant held = MustTake();
  EXPECT_FALSE(Take().has_value()) << "it has one";
  for (int n = 2; n <= 3; ++n) {
    TakeRequest take;
    take.worker = "worker";
    take.models = {"model-a"};
    take.nonce = "next-" + std::to_string(n);
    const NextJob next = consumer().CompleteAndTake({held.fence, "r"}, take).value();
    EXPECT_EQ(next.completed, OwnerAnswer::kOk);
    ASSERT_TRUE(next.grant.has_value());
    EXPECT_EQ(next.grant->fence.id, TestJobId(n));
    held = *next.grant;
  }
}

TEST_P(QueueContract, AReleasedJobIsNextAndNoCounterMoves) {
  MustSubmit(1);
  MustSubmit(2);
  const Grant grant = MustTake();
  EXPECT_EQ(consumer().Release(grant.fence, "jobs/x/c/1-9", 9).value(), OwnerAnswer::kOk);
  EXPECT_EQ(consumer().Release(grant.fence, "jobs/x/c/1-9", 9).value(), OwnerAnswer::kRepeated);
  EXPECT_EQ(View(grant.fence.id).position, 0);
  EXPECT_EQ(View(TestJobId(2)).position, 1);
  const Grant next = MustTake();
  EXPECT_EQ(next.fence.id, grant.fence.id);
  EXPECT_EQ(next.fence.epoch, 2);
  EXPECT_EQ(next.crashes + next.tries, 0);
  EXPECT_EQ(next.checkpoint, "jobs/x/c/1-9");
  EXPECT_EQ(next.step, 9);
  EXPECT_FALSE(next.solo);
}

TEST_P(QueueContract, ACallWhoseReplyWasLostIsRepeatedWithoutHarm) {
  for (int n = 1; n <= 4; ++n) MustSubmit(n);
  const auto twice = [](const auto& call) {
    (void)call();
    return call();
  };
  const auto versions = [&] {
    std::vector<int64_t> found;
    for (int n = 1; n <= 4; ++n) found.push_back(View(TestJobId(n)).version);
    return found;
  };
  const Grant first = *Take("lost");
  EXPECT_EQ(twice([&] { return Take("lost")->fence.epoch; }), first.fence.epoch);
  EXPECT_EQ(twice([&] { return consumer().Release(first.fence, "c", 3).value(); }),
            OwnerAnswer::kRepeated);
  Failure failure;
  failure.fence = MustTake().fence;
  failure.worker_lost = true;
  EXPECT_EQ(twice([&] { return consumer().Fail(failure).value(); }), FailOutcome::kRepeated);
  EXPECT_EQ(View(failure.fence.id).crashes, 1);
  EXPECT_EQ(View(failure.fence.id).tries, 0);
  const Fence done = MustTake().fence;
  EXPECT_EQ(twice([&] { return Renew(done, 1); }), OwnerAnswer::kOk);
  EXPECT_EQ(twice([&] { return consumer().Complete(done, "r").value(); }), OwnerAnswer::kRepeated);
  EXPECT_EQ(twice([&] { return producer().Cancel(TestJobId(4), {}).value(); }), State::kCanceled);
  EXPECT_TRUE(twice([&] { return maintenance().Adopt(TestJobId(2), State::kDead, ""); }).ok());
  EXPECT_EQ(twice([&] { return producer().Redrive(TestJobId(2), {})->id; }), TestJobId(2) + "#2");
  EXPECT_EQ(versions(), (std::vector<int64_t>{7, 2, 1, 2})) << "each thing happened once";
  EXPECT_EQ(maintenance().Stats()->live, 2);
}

TEST_P(QueueContract, AJobThatTheQueueDoesNotKnowFencesItsOwner) {
  const Fence forgotten{TestJobId(1), 1, "nonce"};
  EXPECT_EQ(Renew(forgotten, 1), OwnerAnswer::kFenced);
  EXPECT_EQ(consumer().Complete(forgotten, "r").value(), OwnerAnswer::kFenced);
  EXPECT_EQ(consumer().Release(forgotten, "", 0).value(), OwnerAnswer::kFenced);
  Failure failure;
  failure.fence = forgotten;
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kFenced);
  EXPECT_EQ(maintenance().Adopt(forgotten.id, State::kDone, "r").code(), StatusCode::kNotFound);
}

}  // namespace phasor::queue
