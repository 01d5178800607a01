// The contract's part about what others see: lists, counts, events, the bell.

#include <atomic>
#include <thread>

#include "common/base/mutex.h"
#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

TEST_P(QueueContract, AJobSaysWhenItsLastOwnerTookIt) {
  MustSubmit(1);
  EXPECT_EQ(View(TestJobId(1)).started_ms, 0);
  const Grant first = MustTake();
  const JobView taken = View(TestJobId(1));
  EXPECT_EQ(taken.started_ms, taken.changed_ms);
  queue_->Advance(Millis(1'000));
  EXPECT_EQ(Renew(first.fence, 1), OwnerAnswer::kOk);
  ASSERT_EQ(consumer().Release(first.fence, "", 0).value(), OwnerAnswer::kOk);
  EXPECT_EQ(View(TestJobId(1)).started_ms, taken.started_ms) << "given back";
  queue_->Advance(Millis(1'000));
  const Grant second = MustTake();
  const JobView again = View(TestJobId(1));
  EXPECT_GE(again.started_ms, taken.started_ms + 2'000);
  Failure failure;
  failure.fence = second.fence;
  failure.reason = "it never works";
  failure.code = "INTERNAL";
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  EXPECT_EQ(View(TestJobId(1)).started_ms, again.started_ms) << "sealed";
}

TEST_P(QueueContract, ListsJobsNewestFirstPageByPage) {
  for (int n = 1; n <= 7; ++n) {
    SubmitRequest request = TestRequest(n);
    if (n % 2 == 0) request.tenant = "tenant-b";
    if (n == 3) request.model = "model-b";
    MustSubmit(request);
  }
  Drain(1);
  const auto jobs = [](std::vector<int> numbers) {
    std::vector<JobId> expected;
    for (const int n : numbers) expected.push_back(TestJobId(n));
    return expected;
  };
  ListRequest request;
  request.limit = 3;
  EXPECT_EQ(producer().List(request)->jobs.size(), 3u);
  EXPECT_EQ(producer().List(request)->jobs[0].spec, "");
  EXPECT_EQ(AllIds(request), jobs({7, 6, 5, 4, 3, 2, 1}));
  request.tenant = "tenant-b";
  EXPECT_EQ(AllIds(request), jobs({6, 4, 2}));
  request.tenant = "";
  request.model = "model-b";
  EXPECT_EQ(AllIds(request), jobs({3}));
  request.model = "";
  request.states = {State::kDone};
  EXPECT_EQ(AllIds(request), jobs({1}));
  request.states = {State::kDead, State::kWaiting};
  EXPECT_EQ(AllIds(request), jobs({}));
}

// Of names that enter keys as they are, and of one that enters them as a hash.
TEST_P(QueueContract, ToAClientOfATenantThereAreNoJobsButItsOwn) {
  const Caller stranger{.tenant = "tenant-b"};
  const auto list_of = [&](const Caller& caller) {
    ListRequest request;
    request.tenant = caller.only_tenant();
    return AllIds(request);
  };
  int n = 0;
  for (const std::string tenant : {"tenant-a", "Some Tenant", ""}) {
    const Caller owner{.tenant = tenant};
    SubmitRequest request = TestRequest(++n);
    request.tenant = tenant;
    MustSubmit(request);
    MustKill(request.id);
    for (const State state : {State::kDead, State::kQueued}) {
      if (state == State::kQueued) request.id = producer().Redrive(request.id, owner).value().id;
      EXPECT_EQ(producer().Get(request.id, stranger).status().code(), StatusCode::kNotFound);
      EXPECT_EQ(producer().Cancel(request.id, stranger).status().code(), StatusCode::kNotFound);
      EXPECT_EQ(producer().Redrive(request.id, stranger).status().code(), StatusCode::kNotFound);
      EXPECT_EQ(list_of(stranger), std::vector<JobId>());
      EXPECT_EQ(View(request.id).state, state) << "and nothing has happened to it";
      for (const Caller& caller : {owner, Caller{}, job::Operator(),
                                   Caller{.tenant = "tenant-b", .role = job::Role::kOperator}}) {
        EXPECT_EQ(producer().Get(request.id, caller)->tenant, tenant);
      }
    }
    EXPECT_EQ(producer().Cancel(request.id, owner).value(), State::kCanceled);
  }
  EXPECT_EQ(list_of({.tenant = "tenant-a"}).size(), 2u) << "the dead one and its next generation";
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

TEST_P(QueueContract, ListenersHearEveryChangeOfStateAfterTheSubmit) {
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
  for (size_t count = 3; transitions.size() < 2 && count < 600; ++count) {
    transitions.clear();
    for (const Event& event : wait_for(count)) {
      if (event.version > 0) transitions.push_back(event);
    }
  }
  ASSERT_EQ(transitions.size(), 2u);
  const std::vector<State> states = {State::kLeased, State::kDone};
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(transitions[i].id, TestJobId(1));
    EXPECT_EQ(transitions[i].state, states[i]);
    EXPECT_EQ(transitions[i].version, static_cast<int64_t>(i) + 2);
  }
  EXPECT_EQ(transitions[0].worker, "worker-of-node-a");
  EXPECT_EQ(transitions[0].epoch, 1);
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

TEST_P(QueueContract, StatsTellTheQueuesClock) {
  const int64_t before = maintenance().Stats()->now_ms;
  EXPECT_GT(before, 1'500'000'000'000);
  queue_->Advance(std::chrono::hours(1));
  EXPECT_NEAR(static_cast<double>(maintenance().Stats()->now_ms - before), 3'600'000, 60'000);
  MustSubmit(1);
  EXPECT_GT(maintenance().Stats()->now_ms, before) << "behind the models, too";
}

}  // namespace phasor::queue
