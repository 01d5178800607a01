#include "services/worker/take/executor.h"

#include "engine/api/device_lost.h"
#include "gmock/gmock.h"
#include "services/worker/take/drain.h"
#include "services/worker/testing/lossy_line.h"
#include "services/worker/testing/store_wrapper.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

class ExecutorTest : public WorkerFixture {
 protected:
  std::unique_ptr<Executor> MakeExecutor(queue::Consumer& consumer) {
    return std::make_unique<Executor>(
        Executor::Parts{.make_engine = [this]() -> StatusOr<std::unique_ptr<engine::Engine>> {
                          if (!engine_error_.ok()) return engine_error_;
                          return engine::MakeFakeEngine(fake_);
                        },
                        .queue = consumer,
                        .store = *store_,
                        .lease = renewer_,
                        .progress =
                            [this](const v1::JobProgress& progress) {
                              if (on_progress_) on_progress_(progress);
                            },
                        .patience = {clock_,
                                     [this](Millis pause) {
                                       clock_.Advance(pause);
                                       if (status_hook_) status_hook_();
                                     },
                                     [] { return 0.0; }},
                        .metrics = metrics_,
                        .memory = memory_metrics_,
                        .status = status_,
                        .intake = intake_,
                        .own_units = own_units_,
                        .on_device_lost = [this] { ++devices_lost_; }},
        ExecutorConfig{.runner = {.worker = "w1"},
                       .taker = {.worker = "w1", .node = "n1"},
                       .models = cards_,
                       .limits = {.models = 1},
                       .group = group_,
                       .preload = "tiny"});
  }

  Status engine_error_;
  GroupConfig group_;
  double memory_percent_ = 0;
  int looks_ = 0;
  std::function<void()> on_look_;
  std::function<void()> status_hook_;  // after each pause
  job::JobId id_;
  Intake intake_{{}, clock_, [this] {
                   if (on_look_) on_look_();
                   return memory_percent_;
                 }};
  OwnUnits own_units_;
  LeaseRenewer renewer_{queue_, clock_, {}, metrics_};
};

TEST_F(ExecutorTest, RunsJobsUntilItIsDrainedAndFinishesTheOneInHand) {
  const auto executor = MakeExecutor(queue_);
  const job::JobId first = Submit(), second = Submit(), third = Submit();
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.job_id() == second) executor->Drain();
  };
  EXPECT_FALSE(status_.Readiness().ok());
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_TRUE(status_.Readiness().ok());
  EXPECT_EQ(View(first).state, job::State::kDone);
  EXPECT_EQ(View(second).state, job::State::kDone);
  EXPECT_EQ(View(third).state, job::State::kQueued);
  EXPECT_EQ(status_.Stats().jobs_done(), 2);
  EXPECT_EQ(status_.Stats().models_resident(0), "tiny");
}

TEST_F(ExecutorTest, AClosedIntakeDoesNotKeepTheEndOfAJobFromTheQueue) {
  std::unique_ptr<Executor> executor;
  on_look_ = [&] {
    if (++looks_ == 1) return;
    memory_percent_ = 99;
    if (looks_ == 3) {
      EXPECT_EQ(View(id_).state, job::State::kDone);
      executor->Drain();
    }
  };
  executor = MakeExecutor(queue_);
  id_ = Submit();
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(looks_, 3);
}

TEST_F(ExecutorTest, AnOrderToLoadAModelDoesNotKeepTheEndOfAJobFromTheQueue) {
  const auto executor = MakeExecutor(queue_);
  id_ = Submit();
  on_progress_ = [&](const v1::JobProgress&) { executor->Ask({.model = "unknown"}); };
  on_look_ = [&] {
    if (++looks_ == 1) return;
    EXPECT_EQ(View(id_).state, job::State::kDone) << "before the load";
    executor->Drain();
  };
  EXPECT_TRUE(executor->Run().ok());
}

TEST_F(ExecutorTest, ALostReplyIsAskedForAgainWithTheSameNonce) {
  LossyLine lossy(queue_);
  lossy.lost_replies = 2;
  const auto executor = MakeExecutor(lossy);
  const job::JobId id = Submit();
  on_progress_ = [&](const v1::JobProgress&) { executor->Drain(); };
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(View(id).epoch, 1) << "one grant";
  ASSERT_EQ(lossy.nonces.size(), 3u);
  EXPECT_EQ(lossy.nonces[0], lossy.nonces[2]);
}

TEST_F(ExecutorTest, ADrainDoesNotLeaveTheJobOfALostReplyBehind) {
  LossyLine lossy(queue_);
  lossy.lost_replies = 2;
  const auto executor = MakeExecutor(lossy);
  Drain drain(*executor, intake_, renewer_, status_, clock_);
  const job::JobId id = Submit();
  lossy.on_loss = [&] { drain.Begin(Millis(0)); };
  on_progress_ = [&](const v1::JobProgress&) { drain.Tick(); };
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(View(id).state, job::State::kQueued) << "given back at once";
  EXPECT_EQ(View(id).tries + View(id).crashes, 0);
}

TEST_F(ExecutorTest, ADrainDoesNotWaitForeverForAQueueThatDoesNotAnswer) {
  LossyLine lossy(queue_);
  lossy.lost_replies = 1'000;
  const auto executor = MakeExecutor(lossy);
  lossy.on_loss = [&] { executor->Drain(); };
  const SteadyTime begin = clock_.Steady();
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_LT(clock_.Steady() - begin, Millis(6'000));
}

TEST_F(ExecutorTest, AnUnansweredTakeIsRepeatedHoweverLongTheQueueStalls) {
  LossyLine lossy(queue_);
  lossy.lost_replies = 2;
  Taker taker(lossy, patience_, {.worker = "w1", .node = "n1"});
  EXPECT_FALSE(taker.Take({"tiny"}).ok());
  clock_.Advance(Millis(15'000));
  EXPECT_FALSE(taker.Take({"tiny"}).ok());
  EXPECT_EQ(lossy.nonces[0], lossy.nonces[1]);
}

TEST_F(ExecutorTest, TakesNothingWhileTheIntakeIsClosedAndSaysSo) {
  std::unique_ptr<Executor> executor;
  on_look_ = [&] {
    memory_percent_ = ++looks_ < 3 ? 99 : 50;
    if (looks_ == 2) {
      EXPECT_EQ(Metric("phasor_intake_closed{reason=\"memory\"}"), 1);
      EXPECT_EQ(Metric("phasor_takes_jobs{model=\"tiny\"}"), 0);
      EXPECT_FALSE(status_.Readiness().ok());
    }
    EXPECT_EQ(View(id_).state, job::State::kQueued);
  };
  on_progress_ = [&](const v1::JobProgress&) { executor->Drain(); };
  executor = MakeExecutor(queue_);
  id_ = Submit();
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(looks_, 3);
  EXPECT_EQ(View(id_).state, job::State::kDone);
  EXPECT_EQ(Metric("phasor_intake_closed{reason=\"memory\"}"), 0);
  EXPECT_EQ(Metric("phasor_takes_jobs{model=\"tiny\"}"), 1);
}

TEST_F(ExecutorTest, AnOrderToDrainClosesTheIntakeForGood) {
  const auto executor = MakeExecutor(queue_);
  const job::JobId id = Submit();
  Drain drain(*executor, intake_, renewer_, status_, clock_);
  drain.Order();
  EXPECT_EQ(intake_.Look(), Closed::kOrdered);
  EXPECT_EQ(status_.Stats().state(), "cordoned");
  EXPECT_FALSE(status_.Readiness().ok());
  drain.Begin(Millis(0));
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(View(id).state, job::State::kQueued);
}

// Three jobs that can't be drawn anywhere, then good ones.
TEST_F(ExecutorTest, JobsThatFailEverywhereDoNotKeepItFromTheOthers) {
  const auto executor = MakeExecutor(queue_);
  std::vector<job::JobId> bad, good;
  prompt_ = "fault:internal@step1";
  for (int i = 0; i < 4; ++i) bad.push_back(Submit());
  prompt_ = "a red circle";
  for (int i = 0; i < 3; ++i) good.push_back(Submit());
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.job_id() == good.back()) executor->Drain();
  };
  const SteadyTime begin = clock_.Steady();
  EXPECT_TRUE(executor->Run().ok());
  for (const job::JobId& id : good) EXPECT_EQ(View(id).state, job::State::kDone);
  for (const job::JobId& id : bad) EXPECT_EQ(View(id).tries, 1);
  EXPECT_LT(clock_.Steady() - begin, Millis(1'000));
  EXPECT_THAT(Keys("probe"), ::testing::IsEmpty());
}

TEST_F(ExecutorTest, AModelThatIsBrokenHereIsLeftToOthersAndTheRestGoesOn) {
  config::ModelCard broken;
  broken.name = "broken";
  broken.directory = directory_ + "/nothing here";
  cards_.push_back(broken);
  const auto executor = MakeExecutor(queue_);
  std::vector<job::JobId> bad;
  model_ = "broken";
  for (int i = 0; i < 4; ++i) bad.push_back(Submit());
  model_ = "tiny";
  const job::JobId good = Submit();
  int taken = 0;
  on_look_ = [&] {
    if (View(good).state == job::State::kDone && ++taken > 3) executor->Drain();
  };
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(View(good).state, job::State::kDone);
  for (size_t i = 0; i < bad.size(); ++i) EXPECT_EQ(View(bad[i]).tries, i < 3 ? 1 : 0) << i;
  EXPECT_TRUE(status_.Readiness().ok());
}

TEST_F(ExecutorTest, AStoreThatIsNotReachedFromHereEndsTheTakingUntilItIs) {
  class Broken final : public StoreWrapper {
   public:
    using StoreWrapper::StoreWrapper;
    Status Put(const std::string& key, std::string_view bytes) override {
      return broken ? Internal("the folder is a file") : below_.Put(key, bytes);
    }
    bool broken = true;
  };
  auto real = std::move(store_);
  auto broken = std::make_unique<Broken>(*real);
  Broken& store = *broken;
  store_ = std::move(broken);
  const auto executor = MakeExecutor(queue_);
  std::vector<job::JobId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(Submit());
  std::optional<SteadyTime> closed;
  status_hook_ = [&] {
    if (!closed && !status_.Readiness().ok() && View(ids[2]).tries == 1) closed = clock_.Steady();
    if (closed && clock_.Steady() - *closed > Millis(100'000)) store.broken = false;
  };
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.job_id() == ids[4]) executor->Drain();
  };
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_TRUE(closed.has_value());
  EXPECT_EQ(View(ids[3]).tries, 0) << "no job was a probe";
  EXPECT_EQ(View(ids[4]).state, job::State::kDone);
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(ExecutorTest, AnyNumberOfModelsIsServed) {
  for (int i = 0; i < 150; ++i) {
    config::ModelCard card = cards_.front();
    card.name = "model-" + std::to_string(i);
    cards_.push_back(card);
  }
  const auto executor = MakeExecutor(queue_);
  std::vector<job::JobId> ids;
  for (const char* model : {"model-149", "tiny", "model-70"}) {
    model_ = model;
    ids.push_back(Submit());
  }
  int left = 3;
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.state() == v1::INITIALIZING && --left == 0) executor->Drain();
  };
  EXPECT_TRUE(executor->Run().ok());
  for (const job::JobId& id : ids) EXPECT_EQ(View(id).state, job::State::kDone);
}

// Two models alternate in a queue that has waited, on a worker that holds one.
TEST_F(ExecutorTest, TheModelThatWasBroughtGoesFirstForAsManyJobsAsAGroupHas) {
  config::ModelCard second = cards_.front();
  second.name = "second";
  cards_.push_back(second);
  const auto swaps_with = [&](GroupConfig group) {
    group_ = group;
    const auto executor = MakeExecutor(queue_);
    std::vector<job::JobId> ids;
    for (int i = 0; i < 12; ++i) {
      model_ = i % 2 == 0 ? "tiny" : "second";
      ids.push_back(Submit());
    }
    clock_.Advance(Millis(60'000));
    int left = 12;
    on_progress_ = [&](const v1::JobProgress& progress) {
      if (progress.state() == v1::INITIALIZING && --left == 0) executor->Drain();
    };
    const auto count = [this] {
      return Metric("phasor_model_swaps_total{model=\"tiny\"}") +
             Metric("phasor_model_swaps_total{model=\"second\"}");
    };
    const double before = count();
    EXPECT_TRUE(executor->Run().ok());
    for (const job::JobId& id : ids) EXPECT_EQ(View(id).state, job::State::kDone);
    return count() - before;
  };
  EXPECT_EQ(swaps_with({.jobs = 1}), 12);
  EXPECT_EQ(swaps_with({.jobs = 3}), 4);
  EXPECT_EQ(swaps_with({.jobs = 3, .wait = Millis(0)}), 12) << "nobody may be made to wait";
}

TEST_F(ExecutorTest, ADrainGivesBackAllJobsOfAGroup) {
  fake_.swap_time = Millis(10);
  fake_.step_time = Millis(100);
  fake_.sleep = [this](Millis time) { clock_.Advance(time); };
  const auto executor = MakeExecutor(queue_);
  Drain drain(*executor, intake_, renewer_, status_, clock_);
  const std::vector<job::JobId> ids = {Submit(20), Submit(20), Submit(20)};
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.step() == 5) drain.Begin(Millis(500));
    drain.Tick();
  };
  EXPECT_TRUE(executor->Run().ok());
  for (const job::JobId& id : ids) {
    EXPECT_EQ(View(id).state, job::State::kQueued);
    EXPECT_EQ(View(id).epoch, 1) << "it was in hand";
    EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  }
  EXPECT_EQ(status_.Stats().job_id(), "");
}

// Before Redis has answered for the first time (fleet_gate.h).
TEST_F(ExecutorTest, WaitingForRedisIsNoRefusal) {
  class Waiting final : public LossyLine {
   public:
    using LossyLine::LossyLine;
    StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest& request) override {
      if (waits) return Aborted("cannot reach Redis");
      return LossyLine::Take(request);
    }
    bool waits = true;
  } line(queue_);
  const auto executor = MakeExecutor(line);
  const job::JobId id = Submit();
  status_hook_ = [&] {
    EXPECT_THAT(Message(status_.Readiness()), testing::HasSubstr("cannot reach Redis"));
    line.waits = false;
  };
  on_progress_ = [&](const v1::JobProgress&) { executor->Drain(); };
  testing::internal::CaptureStderr();
  EXPECT_TRUE(executor->Run().ok());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log,
              testing::HasSubstr("info \"no job is taken before Redis and the store answer\""));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("refuses")));
  EXPECT_EQ(View(id).state, job::State::kDone);
}

TEST_F(ExecutorTest, IsNotReadyWhileTheQueueGivesNoJobsAndSaysWhy) {
  class Refusing final : public LossyLine {
   public:
    using LossyLine::LossyLine;
    StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest& request) override {
      if (!refusal.ok()) return refusal;
      return LossyLine::Take(request);
    }
    Status refusal;
  } line(queue_);
  const auto executor = MakeExecutor(line);
  line.refusal = InvalidArgument("models: no");
  int naps = 0;
  status_hook_ = [&] {
    if (++naps == 1) {
      EXPECT_NE(Message(status_.Readiness()).find("models: no"), std::string::npos);
      line.refusal = Unavailable("no route");
    } else if (naps == 2) {
      EXPECT_NE(Message(status_.Readiness()).find("no route"), std::string::npos);
      line.refusal = OkStatus();
    }
  };
  Submit();
  on_progress_ = [&](const v1::JobProgress&) {
    EXPECT_TRUE(status_.Readiness().ok());
    executor->Drain();
  };
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_GE(naps, 2);
}

TEST_F(ExecutorTest, EndsWhenItsDeviceIsLost) {
  const auto executor = MakeExecutor(queue_);
  prompt_ = "fault:device-lost@step1";
  const job::JobId id = Submit();
  EXPECT_TRUE(engine::IsDeviceLost(executor->Run()));
  EXPECT_EQ(devices_lost_, 1);
  EXPECT_EQ(View(id).state, job::State::kQueued);
}

TEST_F(ExecutorTest, SaysWhyThereIsNoEngine) {
  engine_error_ = InvalidArgument("no such device");
  EXPECT_EQ(MakeExecutor(queue_)->Run(), engine_error_);
}

TEST_F(ExecutorTest, ADrainStopsTheJobInHandWhenItsGraceIsOver) {
  const auto executor = MakeExecutor(queue_);
  Drain drain(*executor, intake_, renewer_, status_, clock_);
  fake_.step_time = Millis(100);
  fake_.sleep = [this](Millis time) { clock_.Advance(time); };
  const job::JobId id = Submit(20);
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.step() == 5) drain.Begin(Millis(500));
    drain.Tick();
  };
  EXPECT_TRUE(executor->Run().ok());
  EXPECT_EQ(View(id).state, job::State::kQueued);
  EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  EXPECT_EQ(status_.Stats().state(), "draining");
  EXPECT_FALSE(status_.Readiness().ok());
}

}  // namespace
}  // namespace phasor::worker
