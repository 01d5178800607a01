// What the queue is told of each class of failure, and what that leaves behind.

#include "common/rpc/result_convert.h"
#include "gmock/gmock.h"
#include "services/worker/testing/store_wrapper.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JobFailuresTest : public WorkerFixture {
 protected:
  JobFailuresTest() { fake_.step_time = Millis(100); }

  job::JobId SubmitWith(const std::string& prompt, int images = 1) {
    prompt_ = prompt;
    return Submit(8, images);
  }
  double Failures(const std::string& name) {
    return Metric("phasor_failures_total{class=\"" + name + "\"}");
  }
};

TEST_F(JobFailuresTest, EachClassHasItsCodeItsStateAndItsWord) {
  struct Case {
    std::string prompt;
    std::string name;
    std::string code;
    job::State state;
    int tries, crashes;
    job::ErrorClass error;
  };
  using enum job::ErrorClass;
  const std::vector<Case> cases = {
      {"fault:oom@step2", "out_of_memory", "RESOURCE_EXHAUSTED", job::State::kWaiting, 1, 0,
       kOutOfMemory},
      {"fault:internal@decode", "internal", "INTERNAL", job::State::kWaiting, 1, 0, kInternal},
      {"fault:hang@encode", "timeout", "DEADLINE_EXCEEDED", job::State::kWaiting, 1, 0, kTimeout},
      {"fault:fire@step1", "bad_input", "INVALID_ARGUMENT", job::State::kSealing, 1, 0, kBadInput},
      {"fault:device-lost@step1", "device_lost", "UNAVAILABLE", job::State::kQueued, 0, 1,
       kDeviceLost},
  };
  for (const Case& c : cases) {
    StartWorker("w1");
    const double before = Failures(c.name);
    const job::JobId id = SubmitWith(c.prompt);
    const JobEnd end = TakeAndRun();
    EXPECT_EQ(end.failed, c.error) << c.prompt;
    EXPECT_EQ(Failures(c.name), before + 1) << c.prompt;
    const queue::JobView view = View(id);
    EXPECT_EQ(view.state, c.state) << c.prompt;
    EXPECT_EQ(view.tries, c.tries) << c.prompt;
    EXPECT_EQ(view.crashes, c.crashes) << c.prompt;
    EXPECT_EQ(view.code, c.code) << c.prompt;
    ASSERT_TRUE(queue_.Cancel(id, {}).ok());
  }
}

TEST_F(JobFailuresTest, ALostDeviceEndsTheWorkerBeforeAnythingElseIsDone) {
  checkpoint_share_ = 0.001;  // none by itself
  StartWorker("w1");
  const job::JobId id = SubmitWith("fault:device-lost@step5");
  const SteadyTime begin = clock_.Steady();
  TakeAndRun();
  EXPECT_EQ(devices_lost_, 1);
  EXPECT_THAT(Keys("jobs/" + id + "/c"), IsEmpty()) << "the device is not touched again";
  EXPECT_LE(SecondsBetween(begin, clock_.Steady()), 1);
  EXPECT_THAT(View(id).reason, HasSubstr("device lost"));
  const auto grant = queue_.Take({.worker = "w2", .node = "n2", .nonce = "2", .models = {"tiny"}});
  ASSERT_TRUE(grant.ok() && grant->has_value()) << "it comes back at once";
  EXPECT_TRUE((*grant)->solo);
}

TEST_F(JobFailuresTest, ALostDeviceIsReportedForThreeSecondsAtMost) {
  class Unreachable final : public queue::Consumer {
   public:
    StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest&) override {
      return Unavailable("x");
    }
    void WaitForWork(Millis) override {}
    StatusOr<queue::OwnerAnswer> Renew(const queue::RenewRequest&) override {
      return Unavailable("x");
    }
    StatusOr<queue::OwnerAnswer> Complete(const queue::Fence&, const std::string&) override {
      return Unavailable("x");
    }
    StatusOr<queue::FailOutcome> Fail(const queue::Failure&) override { return Unavailable("x"); }
    StatusOr<queue::OwnerAnswer> Release(const queue::Fence&, const std::string&, int) override {
      return Unavailable("x");
    }
  } unreachable;
  StartWorker("w1");
  SubmitWith("fault:device-lost@encode");
  const Taker::Taken taken = Take();
  JobRunner runner(
      {.queue = unreachable,
       .store = *store_,
       .engine = *engine_,
       .models = *models_,
       .memory = *memory_,
       .results = *results_,
       .lease = *lease_,
       .progress = [](const v1::JobProgress&) {},
       .patience = {clock_, [this](Millis pause) { clock_.Advance(pause); }, [] { return 0.0; }},
       .metrics = metrics_,
       .on_device_lost = [this] { ++devices_lost_; }},
      {.worker = "w1"});
  const SteadyTime begin = clock_.Steady();
  EXPECT_EQ(runner.Run(taken.grant, taken.sent).failed, job::ErrorClass::kDeviceLost);
  EXPECT_EQ(devices_lost_, 1);
  EXPECT_LE(SecondsBetween(begin, clock_.Steady()), 3.5);
}

TEST_F(JobFailuresTest, MemoryIsAskedForInEveryPhaseAndTheProcessLives) {
  for (const char* unit : {"encode", "step0", "step7", "decode"}) {
    StartWorker("w1");
    const job::JobId id = SubmitWith(std::string("a cat fault:oom@") + unit + "x2", 2);
    for (int run = 1; run <= 3; ++run) {
      TakeAndRun();
      EXPECT_EQ(View(id).state, run < 3 ? job::State::kWaiting : job::State::kDone) << unit;
      clock_.Advance(Millis(31'000));
      (void)queue_.Recover(10);
    }
    EXPECT_EQ(rpc::ResultOf(Record(id)).attempts(), 3) << unit;
    if (std::string(unit) == "decode") {
      EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 8) << "no step is done again";
    }
  }
}

TEST_F(JobFailuresTest, HowManyTriesThereAreIsTheQueuesToSay) {
  for (const int most : {1, 6}) {
    queue::QueueLimits limits;
    limits.max_tries = most;
    ASSERT_TRUE(queue_.SetLimits(limits).ok());
    StartWorker("w1");
    const job::JobId id = SubmitWith("fault:internal@step3 " + std::to_string(most));
    for (int run = 1; run <= most; ++run) {
      EXPECT_NE(View(id).state, job::State::kSealing) << run << " of " << most;
      TakeAndRun();
      clock_.Advance(Millis(31'000));
      (void)queue_.Recover(10);
    }
    EXPECT_EQ(View(id).state, job::State::kSealing) << most;
    EXPECT_THAT(Keys("jobs/" + id + "/c"), IsEmpty());
  }
  EXPECT_EQ(Metric("phasor_jobs_total{model=\"tiny\",state=\"FAILED\"}"), 2);
  EXPECT_EQ(Metric("phasor_jobs_total{model=\"tiny\",state=\"RETRY_PENDING\"}"), 5);
}

TEST_F(JobFailuresTest, MemoryThatNeverSufficesEndsTheJobAfterItsTries) {
  StartWorker("w1");
  const job::JobId id = SubmitWith("fault:oom@step3");
  for (int run = 1; run <= 4; ++run) {
    TakeAndRun();
    clock_.Advance(Millis(31'000));
    (void)queue_.Recover(10);
  }
  EXPECT_EQ(View(id).state, job::State::kSealing);
  EXPECT_EQ(View(id).tries, 4);
  EXPECT_EQ(View(id).code, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(Failures("out_of_memory"), 4);
}

TEST_F(JobFailuresTest, ASmallerPictureIsDueOnlyWhereItIsAllowed) {
  const auto reliefs = [this](const std::string& due) {
    return Metric("phasor_reliefs_total{due=\"" + due + "\",given=\"" + due + "\"}");
  };
  StartWorker("w1");
  prompt_ = "fault:oom@step3";
  double shrunk = 0;
  for (const bool allowed : {false, true}) {
    job::GenerateSpec spec = Spec();
    spec.allow_degradation = allowed;
    const job::JobId id = SubmitBytes(rpc::EncodeJobSpec({.spec = spec, .trace_parent = ""}));
    for (int run = 1; run <= 4; ++run) {
      TakeAndRun();
      clock_.Advance(Millis(31'000));
      (void)queue_.Recover(10);
      // The third and the fourth failure: what comes next is the last try, or would be one.
      if (allowed && run >= 3) ++shrunk;
      EXPECT_EQ(reliefs("smaller_picture"), shrunk) << allowed << ", " << run;
    }
    EXPECT_EQ(View(id).state, job::State::kSealing) << allowed;
  }
  EXPECT_EQ(reliefs("cheaper_plan"), 6);
}

// Has no room for pictures for the first calls.
class FullForAWhile final : public StoreWrapper {
 public:
  FullForAWhile(storage::ResultStore& below, int calls) : StoreWrapper(below), left_(calls) {}
  Status Put(const std::string& key, std::string_view bytes) override {
    if (key.find("/r/") != std::string::npos && left_ > 0) {
      --left_;
      return ResourceExhausted("no space left on the device");
    }
    return below_.Put(key, bytes);
  }

 private:
  int left_;
};

TEST_F(JobFailuresTest, AStoreThatIsFullForAMomentIsWaitedFor) {
  const auto real = std::move(store_);
  store_ = std::make_unique<FullForAWhile>(*real, 10);
  StartWorker("w1");
  const job::JobId id = Submit();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(View(id).tries, 0);
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(JobFailuresTest, AStoreThatIsFullForTenMinutesIsWaitedFor) {
  const auto real = std::move(store_);
  store_ = std::make_unique<FullForAWhile>(*real, 600);  // calls, a second or so each
  StartWorker("w1");
  const job::JobId id = Submit();
  const SteadyTime begin = clock_.Steady();
  TakeAndRun();
  EXPECT_GT(SecondsBetween(begin, clock_.Steady()), 10);
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(View(id).tries, 0);
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(JobFailuresTest, APictureTooLargeForTheStoreIsAFailureOfTheStore) {
  class NoLargeBlobs final : public StoreWrapper {
   public:
    using StoreWrapper::StoreWrapper;
    Status Put(const std::string& key, std::string_view bytes) override {
      return bytes.size() > 100 ? ResourceExhausted("the limit is 100") : below_.Put(key, bytes);
    }
  };
  const auto real = std::move(store_);
  store_ = std::make_unique<NoLargeBlobs>(*real);
  StartWorker("w1");
  const job::JobId id = Submit();
  EXPECT_EQ(TakeAndRun().failed, job::ErrorClass::kStore);
  EXPECT_EQ(View(id).state, job::State::kWaiting);
  EXPECT_EQ(View(id).code, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(Failures("store"), 1);
  EXPECT_THAT(*storage::ListKeys(*real, "jobs/" + id + "/r"), IsEmpty());
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(JobFailuresTest, TheSameFailureOnTwoNodesIsFinalAndSaysWhy) {
  const job::JobId same = SubmitWith("fault:internal@step3");
  for (const char* worker : {"w1", "w2"}) {
    EXPECT_NE(View(same).state, job::State::kSealing);
    StartWorker(worker);
    TakeAndRun();
    clock_.Advance(Millis(31'000));
    (void)queue_.Recover(10);
  }
  EXPECT_EQ(View(same).state, job::State::kSealing);
  EXPECT_EQ(View(same).tries, 2);
  EXPECT_THAT(View(same).reason, HasSubstr("asked the fake engine to fail"));
  // Memory that does not suffice on two nodes says nothing.
  const job::JobId other = SubmitWith("fault:oom@step3x1");
  for (const char* worker : {"w1", "w2"}) {
    StartWorker(worker);
    TakeAndRun();
    clock_.Advance(Millis(31'000));
    (void)queue_.Recover(10);
    EXPECT_EQ(View(other).state, job::State::kQueued) << worker;
  }
  EXPECT_EQ(View(other).tries, 2);
}

TEST_F(JobFailuresTest, APreemptedJobIsGivenBackAndGoesOnElsewhere) {
  StartWorker("w1");
  const job::JobId id = Submit();
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.step() == 3) lease_->AskToStop(StopReason::kPreempted, id);
  };
  const JobEnd end = TakeAndRun();
  EXPECT_FALSE(end.came_out);
  EXPECT_FALSE(end.failed.has_value()) << "it says nothing about the worker";
  on_progress_ = nullptr;
  EXPECT_EQ(View(id).state, job::State::kQueued);
  EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  EXPECT_EQ(Metric("phasor_preemptions_total"), 1);
  StartWorker("w2");
  EXPECT_TRUE(TakeAndRun().came_out);
  EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 4);
}

TEST_F(JobFailuresTest, AJobThatDecodesFinishesRatherThanMakeRoom) {
  StartWorker("w1");
  const job::JobId id = Submit(4, 3);
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.state() == v1::DECODING) lease_->AskToStop(StopReason::kPreempted, id);
  };
  EXPECT_TRUE(TakeAndRun().came_out);
  EXPECT_EQ(View(id).state, job::State::kDone);
}

}  // namespace
}  // namespace phasor::worker
