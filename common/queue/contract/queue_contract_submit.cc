// The contract's part about submitting: duplicates, conflicts, caps, pauses, malformed requests.

#include <atomic>
#include <thread>

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

TEST_P(QueueContract, ASubmittedJobWaitsInItsList) {
  SubmitRequest request = TestRequest(1);
  request.model = "Some Org/Model v2";  // no plain key name
  request.tenant = "Ärger & Co";
  request.priority = Priority::kHigh;
  MustSubmit(request);
  const JobView view = View(request.id);
  EXPECT_EQ(view.state, State::kQueued);
  EXPECT_EQ(view.priority, Priority::kHigh);
  EXPECT_EQ(view.model, request.model);
  EXPECT_EQ(view.tenant, request.tenant);
  EXPECT_EQ(view.spec, request.spec);
  EXPECT_EQ(view.position, 0);
  EXPECT_EQ(view.version, 1);
  EXPECT_GT(view.enqueued_ms, 0);
  EXPECT_EQ(producer().Get(TestJobId(2), {}).status().code(), StatusCode::kNotFound);
}

TEST_P(QueueContract, TheSameSubmitIsADuplicateAndAnotherBodyAConflict) {
  MustSubmit(1);
  EXPECT_EQ(producer().Submit(TestRequest(1))->outcome, SubmitOutcome::kDuplicate);
  SubmitRequest other = TestRequest(1);
  other.fingerprint = "another";
  EXPECT_EQ(producer().Submit(other)->outcome, SubmitOutcome::kConflict);
  EXPECT_EQ(maintenance().Stats()->live, 1);

  Drain();
  const SubmitReply late = *producer().Submit(TestRequest(1));
  EXPECT_EQ(late.outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(late.state, State::kDone);
}

TEST_P(QueueContract, SubmitAllAnswersEachRequestForItself) {
  MustSubmit(1);
  SubmitRequest conflict = TestRequest(1);
  conflict.fingerprint = "another body";
  SubmitRequest malformed = TestRequest(2);
  malformed.id = "no id";
  const auto replies =
      producer().SubmitAll({TestRequest(3), conflict, malformed, TestRequest(1), TestRequest(4)});
  ASSERT_EQ(replies.size(), 5u);
  EXPECT_EQ(replies[0]->outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ(replies[1]->outcome, SubmitOutcome::kConflict);
  EXPECT_EQ(replies[2].status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(replies[3]->outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(replies[4]->outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ(Drain().size(), 3u);
  EXPECT_TRUE(producer().SubmitAll({}).empty());
}

TEST_P(QueueContract, SubmitAllSeesTheRequestsBeforeEachInItsOwnGroup) {
  QueueLimits limits;
  limits.max_jobs = 4;
  limits.max_per_tenant = 2;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  const auto request = [](int n, const std::string& tenant) {
    SubmitRequest one = TestRequest(n);
    one.tenant = tenant;
    return one;
  };
  SubmitRequest conflict = request(1, "a");
  conflict.fingerprint = "another";
  const auto replies = producer().SubmitAll({request(1, "a"), request(1, "a"), conflict,
                                             request(2, "a"), request(3, "a"), request(4, "b"),
                                             request(5, "b"), request(6, "c"), request(2, "a")});
  const std::vector<SubmitOutcome> wanted = {
      SubmitOutcome::kAccepted, SubmitOutcome::kDuplicate, SubmitOutcome::kConflict,
      SubmitOutcome::kAccepted, SubmitOutcome::kFull,      SubmitOutcome::kAccepted,
      SubmitOutcome::kAccepted, SubmitOutcome::kFull,      SubmitOutcome::kDuplicate};
  ASSERT_EQ(replies.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(replies[i]->outcome, wanted[i]) << i;
  EXPECT_EQ(replies[4]->full, "tenant");
  EXPECT_EQ(replies[7]->full, "jobs");
  EXPECT_EQ(maintenance().Stats()->live, 4);
}

TEST_P(QueueContract, OneHundredEqualSubmitsAtOnceAreOneJob) {
  std::atomic<int> accepted = 0;
  std::atomic<int> duplicates = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([&] {
      const SubmitReply reply = producer().Submit(TestRequest(1)).value();
      accepted += reply.outcome == SubmitOutcome::kAccepted;
      duplicates += reply.outcome == SubmitOutcome::kDuplicate;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(duplicates, 99);
}

TEST_P(QueueContract, CapsRefuseWithTheirNameAndATimeToRetry) {
  QueueLimits limits;
  limits.max_jobs = 3;
  limits.max_per_tenant = 2;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  MustSubmit(1);
  MustSubmit(2);
  const SubmitReply tenant_full = *producer().Submit(TestRequest(3));
  EXPECT_EQ(tenant_full.outcome, SubmitOutcome::kFull);
  EXPECT_EQ(tenant_full.full, "tenant");
  EXPECT_GT(tenant_full.retry_after.count(), 0);

  SubmitRequest other = TestRequest(4);
  other.tenant = "tenant-b";
  MustSubmit(other);
  other.id = TestJobId(5);
  EXPECT_EQ(producer().Submit(other)->full, "jobs");
  EXPECT_EQ(Drain().size(), 3u);
  MustSubmit(6);  // what is done no longer counts
}

TEST_P(QueueContract, AJobThatASecondSubmitNamesIsShared) {
  SubmitRequest conflict = TestRequest(1);
  conflict.fingerprint = "another";
  for (int n = 1; n <= 3; ++n) MustSubmit(n);
  ASSERT_EQ(producer().Submit(conflict)->outcome, SubmitOutcome::kConflict);
  EXPECT_FALSE(View(TestJobId(1)).shared) << "somebody else's request is no share in it";
  SubmitRequest ask = TestRequest(1);
  ask.unless_forgotten = true;
  const int64_t version = View(ask.id).version;
  ASSERT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kDuplicate);
  EXPECT_TRUE(View(TestJobId(1)).shared);
  EXPECT_EQ(View(TestJobId(1)).version, version) << "it is no transition";
  const Grant grant = MustTake();
  ASSERT_EQ(grant.fence.id, TestJobId(1));
  EXPECT_TRUE(View(TestJobId(1)).shared);
  const Grant second = MustTake();
  ASSERT_EQ(producer().Submit(TestRequest(2))->outcome, SubmitOutcome::kDuplicate);
  EXPECT_TRUE(View(TestJobId(2)).shared);
  EXPECT_EQ(Renew(second.fence, 1), OwnerAnswer::kOk) << "its owner does not mind";
  producer().SubmitAll({TestRequest(7), TestRequest(7)});
  EXPECT_TRUE(View(TestJobId(7)).shared);
  EXPECT_FALSE(View(TestJobId(3)).shared);
  Drain();
}

TEST_P(QueueContract, AQueueThatMayHaveForgottenAJobDoesNotCreateItUnasked) {
  SubmitRequest ask = TestRequest(1);
  ask.unless_forgotten = true;
  EXPECT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kUnknown);
  EXPECT_EQ(producer().Get(ask.id, {}).status().code(), StatusCode::kNotFound);
  MustSubmit(1);
  EXPECT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kDuplicate);
  ask.fingerprint = "another";
  EXPECT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kConflict);
  // Also where nothing new is taken.
  ASSERT_TRUE(control().SetPaused(true).ok());
  ask.id = TestJobId(2);
  const auto replies = producer().SubmitAll({ask, TestRequest(2), TestRequest(1)});
  EXPECT_EQ(replies[0]->outcome, SubmitOutcome::kUnknown);
  EXPECT_EQ(replies[1]->outcome, SubmitOutcome::kPaused);
  EXPECT_EQ(replies[2]->outcome, SubmitOutcome::kDuplicate);
}

TEST_P(QueueContract, AQueueThatHasForgottenNothingTakesANewJobAtOnce) {
  queue_->DeclareWhole();
  SubmitRequest ask = TestRequest(1);
  ask.unless_forgotten = true;
  EXPECT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ(View(ask.id).spec, ask.spec);
  EXPECT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kDuplicate);
  SubmitRequest conflict = ask;
  conflict.fingerprint = "another";
  EXPECT_EQ(producer().Submit(conflict)->outcome, SubmitOutcome::kConflict);
  ASSERT_TRUE(control().SetPaused(true).ok());
  ask.id = TestJobId(2);
  EXPECT_EQ(producer().Submit(ask)->outcome, SubmitOutcome::kPaused);
}

TEST_P(QueueContract, WhatAWholeQueueHasForgottenItDoesNotCreateUnasked) {
  queue_->DeclareWhole();
  for (int n = 0; n < 40; ++n) MustSubmit(n);
  ASSERT_EQ(Drain(30).size(), 30u);
  queue_->Advance(std::chrono::hours(73));
  ASSERT_EQ(maintenance().Forget(100).value(), 30);
  std::vector<SubmitRequest> asked;
  for (int n = 0; n < 60; ++n) {
    asked.push_back(TestRequest(n));
    asked.back().unless_forgotten = true;
  }
  const auto replies = producer().SubmitAll(asked);
  std::map<SubmitOutcome, int> outcomes;
  for (const auto& reply : replies) ++outcomes[reply->outcome];
  EXPECT_EQ(outcomes[SubmitOutcome::kUnknown], 30) << "forgotten";
  EXPECT_EQ(outcomes[SubmitOutcome::kDuplicate], 10) << "still waiting";
  EXPECT_EQ(outcomes[SubmitOutcome::kAccepted], 20) << "new";
  asked[0].unless_forgotten = false;
  asked[0].id = TestJobId(0);
  EXPECT_EQ(producer().Get(asked[0].id, {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(producer().Submit(asked[0])->outcome, SubmitOutcome::kAccepted) << "who has asked may";
}

TEST_P(QueueContract, ADeadlineMayBeCountedFromTheSubmit) {
  MustSubmit(9);
  SubmitRequest request = TestRequest(1);
  request.deadline_in = Millis(30'000);
  MustSubmit(request);
  const JobView view = View(request.id);
  EXPECT_EQ(view.deadline_ms, view.enqueued_ms + 30'000);
  queue_->Advance(Millis(20'000));
  EXPECT_EQ(producer().Submit(request)->outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(View(request.id).deadline_ms, view.deadline_ms) << "a repeat moves nothing";
  queue_->Advance(Millis(11'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(View(request.id).state, State::kSealing);
  request.id = TestJobId(2);
  request.deadline_ms = 4'000'000'000'000;
  EXPECT_EQ(producer().Submit(request).status().code(), StatusCode::kInvalidArgument);
}

TEST_P(QueueContract, JobsWithoutATenantAreCappedByTheirWholeNumberAlone) {
  QueueLimits limits;
  limits.max_jobs = 5;
  limits.max_per_tenant = 2;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  SubmitRequest request = TestRequest(1);
  request.tenant = "";
  for (int n = 1; n <= 4; ++n) {
    request.id = TestJobId(n);
    MustSubmit(request);
  }
  SubmitRequest other = TestRequest(5);
  MustSubmit(other);
  request.id = TestJobId(6);
  EXPECT_EQ(producer().Submit(request)->full, "jobs");
  Drain();
  ASSERT_TRUE(control().SetTenantLimits("", {.max_open = 1}).ok());
  MustSubmit(request);
  request.id = TestJobId(7);
  EXPECT_EQ(producer().Submit(request)->full, "tenant") << "unless somebody says so";
}

TEST_P(QueueContract, APausedQueueTakesNothingHandsOutNothingAndFinishesWhatRuns) {
  MustSubmit(1);
  MustSubmit(2);
  const Grant running = *Take("running");
  ASSERT_TRUE(control().SetPaused(true).ok());
  EXPECT_TRUE(maintenance().Stats()->paused);
  const SubmitReply refused = *producer().Submit(TestRequest(3));
  EXPECT_EQ(refused.outcome, SubmitOutcome::kPaused);
  EXPECT_GT(refused.retry_after.count(), 0);
  EXPECT_EQ(producer().Submit(TestRequest(1))->outcome, SubmitOutcome::kDuplicate);
  EXPECT_FALSE(Take().has_value());
  EXPECT_EQ(Take("running")->fence.id, running.fence.id) << "a lost reply is repeated all the same";
  EXPECT_EQ(Renew(running.fence, 1), OwnerAnswer::kOk);
  EXPECT_EQ(consumer().Complete(running.fence, "r").value(), OwnerAnswer::kOk);
  ASSERT_TRUE(control().SetPaused(false).ok());
  MustSubmit(3);
  EXPECT_EQ(Drain().size(), 2u);
}

TEST_P(QueueContract, ResumingWakesAWorkerThatWaits) {
  MustSubmit(1);
  ASSERT_TRUE(control().SetPaused(true).ok());
  ASSERT_FALSE(Take().has_value());
  const SteadyTime start = std::chrono::steady_clock::now();
  std::thread waiter([&] { consumer().WaitForWork(Millis(10'000)); });
  ASSERT_TRUE(control().SetPaused(false).ok());
  waiter.join();
  EXPECT_LT(SecondsBetween(start, std::chrono::steady_clock::now()), 5.0);
  EXPECT_TRUE(Take().has_value());
}

TEST_P(QueueContract, MalformedRequestsAreRefusedBeforeAnythingHappens) {
  SubmitRequest request = TestRequest(1);
  request.id = "not an id";
  EXPECT_EQ(producer().Submit(request).status().code(), StatusCode::kInvalidArgument);
  request = TestRequest(1);
  request.cost = 0;
  EXPECT_EQ(producer().Submit(request).status().code(), StatusCode::kInvalidArgument);
  request = TestRequest(1);
  request.model = "";
  EXPECT_EQ(producer().Submit(request).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(producer().Get("x", {}).status().code(), StatusCode::kInvalidArgument);
  TakeRequest take;
  take.nonce = "a b";
  EXPECT_EQ(consumer().Take(take).status().code(), StatusCode::kInvalidArgument);
  ListRequest list;
  list.page = "no number";
  EXPECT_EQ(producer().List(list).status().code(), StatusCode::kInvalidArgument);
}

TEST_P(QueueContract, ATenantIsToldAsItWasGivenAndNoneAsNone) {
  int n = 0;
  for (const std::string tenant : {"tenant-a", "Some Tenant", ""}) {
    SubmitRequest request = TestRequest(++n);
    request.tenant = tenant;
    MustSubmit(request);
    EXPECT_EQ(View(request.id).tenant, tenant);
    EXPECT_EQ(MustTake().tenant, tenant);
    EXPECT_EQ(View(request.id).tenant, tenant);
  }
}

}  // namespace phasor::queue
