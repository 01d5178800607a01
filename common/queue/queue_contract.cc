#include "common/queue/queue_contract.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "common/base/mutex.h"

namespace phasor::queue {

JobId TestJobId(int n) { return job::MakeJobId("secret", "contract", std::to_string(n)); }

SubmitRequest TestRequest(int n) {
  SubmitRequest request;
  request.id = TestJobId(n);
  request.model = "model-a";
  request.tenant = "tenant-a";
  request.fingerprint = "body-" + std::to_string(n);
  request.spec = std::string("spec\0\r\n\xff", 8) + std::to_string(n);
  return request;
}

void QueueContract::TearDown() { EXPECT_EQ(queue_->Violations(), std::vector<std::string>()); }

void QueueContract::MustSubmit(const SubmitRequest& request) {
  const StatusOr<SubmitReply> reply = producer().Submit(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->outcome, SubmitOutcome::kAccepted);
}

std::optional<Grant> QueueContract::Take(const std::string& nonce, const std::string& node) {
  TakeRequest request;
  request.worker = "worker-of-" + node;
  request.node = node;
  request.nonce = nonce;
  request.models = {"model-a"};
  StatusOr<std::optional<Grant>> grant = consumer().Take(request);
  EXPECT_TRUE(grant.ok()) << grant.status();
  return grant.ok() ? *std::move(grant) : std::nullopt;
}

std::optional<Grant> QueueContract::TakeOf(const std::vector<std::string>& models) {
  TakeRequest request;
  request.worker = "worker";
  request.nonce = "n" + std::to_string(++nonces_);
  request.models = models;
  StatusOr<std::optional<Grant>> grant = consumer().Take(request);
  EXPECT_TRUE(grant.ok()) << grant.status();
  return grant.ok() ? *std::move(grant) : std::nullopt;
}

std::optional<Grant> QueueContract::Take() { return Take("n" + std::to_string(++nonces_)); }

Grant QueueContract::MustTake() {
  const std::optional<Grant> grant = Take();
  EXPECT_TRUE(grant.has_value());
  return grant.value_or(Grant{});
}

std::vector<Grant> QueueContract::Drain(size_t most) {
  std::vector<Grant> grants;
  while (grants.size() < most) {
    const std::optional<Grant> grant = Take();
    if (!grant) break;
    EXPECT_EQ(consumer().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
    grants.push_back(*grant);
  }
  return grants;
}

JobView QueueContract::View(const JobId& id) {
  const StatusOr<JobView> view = producer().Get(id);
  EXPECT_TRUE(view.ok()) << view.status();
  return view.ok() ? *view : JobView{};
}

OwnerAnswer QueueContract::Renew(const Fence& fence, int64_t units, Millis stall) {
  RenewRequest request;
  request.fence = fence;
  request.units = units;
  request.stall = stall;
  return consumer().Renew(request).value();
}

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

TEST_P(QueueContract, ARetryableFailureWaitsAndThenComesBack) {
  MustSubmit(1);
  const Grant grant = MustTake();
  Failure failure;
  failure.fence = grant.fence;
  failure.retryable = true;
  failure.delay = Millis(5'000);
  failure.reason = "the device was lost";
  failure.code = "UNAVAILABLE";
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
  const JobView view = View(grant.fence.id);
  EXPECT_EQ(view.state, State::kWaiting);
  EXPECT_EQ(view.tries, 1);
  EXPECT_EQ(view.reason, "the device was lost");
  EXPECT_EQ(maintenance().Stats()->models["model-a"].delayed, 1);
  EXPECT_FALSE(Take().has_value());

  queue_->Advance(Millis(5'001));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(View(grant.fence.id).state, State::kQueued);
  const Grant next = MustTake();
  EXPECT_EQ(next.tries, 1);
  EXPECT_EQ(next.crashes, 0);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
  EXPECT_EQ(View(grant.fence.id).tries, 1) << "a late repeat counts nothing";
}

TEST_P(QueueContract, AJobIsSealedAfterItsLastTry) {
  MustSubmit(1);
  for (int attempt = 1; attempt <= 4; ++attempt) {
    Failure failure;
    failure.fence = MustTake().fence;
    failure.retryable = true;
    failure.reason = "again";
    failure.code = "INTERNAL";
    EXPECT_EQ(consumer().Fail(failure).value(),
              attempt < 4 ? FailOutcome::kRequeued : FailOutcome::kSealed);
  }
  EXPECT_EQ(View(TestJobId(1)).state, State::kSealing);
  const std::vector<SealRequest> seals = *maintenance().PendingSeals(10);
  ASSERT_EQ(seals.size(), 1u);
  EXPECT_EQ(seals[0].id, TestJobId(1));
  EXPECT_EQ(seals[0].want, State::kDead);
  EXPECT_EQ(seals[0].reason, "again");
  EXPECT_EQ(seals[0].code, "INTERNAL");
  EXPECT_EQ(seals[0].epoch, 4);
  EXPECT_EQ(maintenance().Stats()->sealing, 1);

  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kDead, "").ok());
  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kDead, "").ok());
  EXPECT_EQ(View(TestJobId(1)).state, State::kDead);
  EXPECT_EQ(View(TestJobId(1)).reason, "again");
  EXPECT_EQ(maintenance().Stats()->dead, 1);
  EXPECT_EQ(maintenance().Stats()->live, 0);
  EXPECT_TRUE(maintenance().PendingSeals(10)->empty());
}

TEST_P(QueueContract, AFinalFailureIsSealedAtOnce) {
  MustSubmit(1);
  Failure failure;
  failure.fence = MustTake().fence;
  failure.reason = "the prompt cannot be encoded";
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
  EXPECT_FALSE(Take().has_value());
  // The record decides: a worker that was first with its result wins over the seal.
  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kDone, "where").ok());
  EXPECT_EQ(View(TestJobId(1)).state, State::kDone);
  EXPECT_EQ(View(TestJobId(1)).result, "where");
  EXPECT_EQ(maintenance().Adopt(TestJobId(9), State::kDone, "").code(), StatusCode::kNotFound);
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

TEST_P(QueueContract, AnExpiredLeaseGivesTheJobBackAloneAndCountsACrash) {
  MustSubmit(1);
  MustTake();
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  queue_->Advance(Millis(15'001));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  EXPECT_EQ(View(TestJobId(1)).state, State::kQueued);
  const Grant next = MustTake();
  EXPECT_EQ(next.crashes, 1);
  EXPECT_EQ(next.tries, 0);
  EXPECT_TRUE(next.solo);
}

TEST_P(QueueContract, AJobThatKillsWorkersOnTwoNodesIsDeadAfterThree) {
  MustSubmit(1);
  for (const std::string node : {"node-a", "node-b", "node-a"}) {
    ASSERT_TRUE(Take("n-" + node + std::to_string(View(TestJobId(1)).crashes), node).has_value());
    queue_->Advance(Millis(16'000));
    ASSERT_EQ(maintenance().Recover(10).value(), 1);
  }
  const std::vector<SealRequest> seals = *maintenance().PendingSeals(10);
  ASSERT_EQ(seals.size(), 1u);
  EXPECT_EQ(seals[0].want, State::kDead);
  EXPECT_EQ(seals[0].reason.rfind("WORKER_LOST", 0), 0u) << seals[0].reason;
  EXPECT_EQ(View(TestJobId(1)).crashes, 3);
}

TEST_P(QueueContract, OneBadNodeNeedsTwiceAsManyCrashes) {
  MustSubmit(1);
  for (int crash = 1; crash <= 6; ++crash) {
    EXPECT_TRUE(maintenance().PendingSeals(10)->empty());
    ASSERT_TRUE(Take().has_value());
    queue_->Advance(Millis(16'000));
    ASSERT_EQ(maintenance().Recover(10).value(), 1);
  }
  EXPECT_EQ(maintenance().PendingSeals(10)->size(), 1u);
}

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
    EXPECT_EQ(producer().Cancel(TestJobId(n), "tenant-b").status().code(), StatusCode::kNotFound);
    EXPECT_EQ(producer().Cancel(TestJobId(n), n % 2 == 0 ? "" : "tenant-a").value(),
              State::kCanceled);
    EXPECT_EQ(producer().Cancel(TestJobId(n), "").value(), State::kCanceled);
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
  EXPECT_EQ(producer().Cancel(TestJobId(1), "").value(), State::kDone);
  EXPECT_EQ(producer().Cancel(TestJobId(2), "").status().code(), StatusCode::kNotFound);
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
  EXPECT_EQ(maintenance().PendingSeals(1)->size(), 1u);
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

TEST_P(QueueContract, ListsJobsNewestFirstPageByPage) {
  for (int n = 1; n <= 7; ++n) {
    SubmitRequest request = TestRequest(n);
    if (n % 2 == 0) request.tenant = "tenant-b";
    if (n == 3) request.model = "model-b";
    MustSubmit(request);
  }
  Drain(1);
  const auto ids = [&](ListRequest request) {
    std::vector<JobId> found;
    do {
      const ListReply reply = producer().List(request).value();
      for (const JobView& view : reply.jobs) found.push_back(view.id);
      request.page = reply.next_page;
    } while (!request.page.empty());
    return found;
  };
  const auto jobs = [](std::vector<int> numbers) {
    std::vector<JobId> expected;
    for (const int n : numbers) expected.push_back(TestJobId(n));
    return expected;
  };
  ListRequest request;
  request.limit = 3;
  EXPECT_EQ(producer().List(request)->jobs.size(), 3u);
  EXPECT_EQ(producer().List(request)->jobs[0].spec, "");
  EXPECT_EQ(ids(request), jobs({7, 6, 5, 4, 3, 2, 1}));
  request.tenant = "tenant-b";
  EXPECT_EQ(ids(request), jobs({6, 4, 2}));
  request.tenant = "";
  request.model = "model-b";
  EXPECT_EQ(ids(request), jobs({3}));
  request.model = "";
  request.states = {State::kDone};
  EXPECT_EQ(ids(request), jobs({1}));
  request.states = {State::kDead, State::kWaiting};
  EXPECT_EQ(ids(request), jobs({}));
}

TEST_P(QueueContract, CountsByModelAndClass) {
  for (int n = 1; n <= 4; ++n) {
    SubmitRequest request = TestRequest(n);
    request.priority = n == 4 ? Priority::kLow : Priority::kNormal;
    if (n == 3) request.model = "Other Model";
    MustSubmit(request);
  }
  MustTake();
  queue_->Advance(Millis(3'000));
  QueueStats stats = *maintenance().Stats();
  EXPECT_EQ(stats.live, 4);
  EXPECT_EQ(stats.models["model-a"].ready[Priority::kNormal], 1);
  EXPECT_EQ(stats.models["model-a"].ready[Priority::kLow], 1);
  EXPECT_EQ(stats.models["model-a"].running, 1);
  EXPECT_GE(stats.models["model-a"].oldest_age_ms, 3'000);
  EXPECT_LE(stats.models["model-a"].oldest_age_ms, 5'000);
  EXPECT_EQ(stats.models["Other Model"].ready[Priority::kNormal], 1);
}

TEST_P(QueueContract, ListenersHearEveryChangeOfState) {
  Mutex mu;
  std::vector<Event> heard;
  const std::unique_ptr<Subscription> subscription =
      queue_->events().Subscribe([&](const Event& event) {
        MutexLock lock(&mu);
        heard.push_back(event);
      });
  const auto wait_for = [&](size_t count) {
    MutexLock lock(&mu);
    const std::pair<std::vector<Event>*, size_t> wanted(&heard, count);
    mu.AwaitWithTimeout(absl::Condition(
                            +[](const std::pair<std::vector<Event>*, size_t>* w) {
                              return w->first->size() >= w->second;
                            },
                            &wanted),
                        absl::Seconds(5));
    return heard;
  };
  // A subscription may need a moment to stand: repeat until the first event comes through.
  Event progress;
  progress.id = TestJobId(1);
  progress.state = State::kLeased;
  progress.phase = Phase::kDenoising;
  progress.preview = std::string("\x89PNG\0\n", 6);
  bool stands = false;
  for (int i = 0; i < 500 && !stands; ++i) {
    ASSERT_TRUE(queue_->events().Publish(progress).ok());
    MutexLock lock(&mu);
    stands = mu.AwaitWithTimeout(
        absl::Condition(
            +[](std::vector<Event>* events) { return !events->empty(); }, &heard),
        absl::Milliseconds(10));
  }
  ASSERT_TRUE(stands);
  EXPECT_EQ(wait_for(1)[0].preview, progress.preview);
  EXPECT_EQ(wait_for(1)[0].phase, Phase::kDenoising);

  MustSubmit(1);
  const Grant grant = MustTake();
  ASSERT_EQ(consumer().Complete(grant.fence, "r").value(), OwnerAnswer::kOk);
  std::vector<Event> transitions;
  for (size_t count = 4; transitions.size() < 3 && count < 600; ++count) {
    transitions.clear();
    for (const Event& event : wait_for(count)) {
      if (event.version > 0) transitions.push_back(event);
    }
  }
  ASSERT_EQ(transitions.size(), 3u);
  const std::vector<State> states = {State::kQueued, State::kLeased, State::kDone};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(transitions[i].id, TestJobId(1));
    EXPECT_EQ(transitions[i].state, states[i]);
    EXPECT_EQ(transitions[i].version, static_cast<int64_t>(i) + 1);
  }
  EXPECT_EQ(transitions[1].worker, "worker-of-node-a");
  EXPECT_EQ(transitions[1].epoch, 1);
}

TEST_P(QueueContract, AWaitingWorkerIsWokenByASubmit) {
  ASSERT_FALSE(Take().has_value());
  std::atomic<bool> woken = false;
  std::thread waiter([&] {
    consumer().WaitForWork(Millis(10'000));
    woken = true;
  });
  const SteadyTime start = std::chrono::steady_clock::now();
  MustSubmit(1);
  waiter.join();
  EXPECT_LT(SecondsBetween(start, std::chrono::steady_clock::now()), 5.0);
  EXPECT_TRUE(woken);
}

}  // namespace phasor::queue
