// Checkpoints as a job's next owner meets them: whole, hostile, absent; and stores that are slow.

#include "services/worker/run/checkpoints.h"

#include <algorithm>

#include "common/rpc/result_convert.h"
#include "engine/checkpoint/checkpoint.h"
#include "gmock/gmock.h"
#include "services/worker/lease/watchdog.h"
#include "services/worker/testing/store_wrapper.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

using ::testing::IsEmpty;

class CheckpointsTest : public WorkerFixture {
 protected:
  CheckpointsTest() {
    fake_.step_time = Millis(100);
    checkpoint_share_ = 1;  // after each step
  }

  // The picture of an undisturbed run of the same spec.
  std::string UndisturbedPng() {
    StartWorker("undisturbed");
    const job::JobId id = Submit();
    TakeAndRun();
    return Png(id);
  }

  std::string Fingerprint(const job::GenerateSpec& spec) {
    return (*(*engine_->Load(directory_))->Start(spec.picture))->Report().fingerprint;
  }

  double Refused() { return Metric("phasor_resumed_jobs_total{exact=\"false\"}"); }
};

// What a state of the fake engine looks like from outside.
engine::Checkpoint Forge(const std::string& fingerprint, uint32_t step, int64_t bytes) {
  engine::Checkpoint checkpoint{fingerprint, step, {}, {}};
  checkpoint.tensors["state.0"] = {
      engine::CheckpointDtype::kU8, {bytes}, std::string(static_cast<size_t>(bytes), '\x5a')};
  return checkpoint;
}

TEST_F(CheckpointsTest, AHostileOneCostsTimeAndNothingElse) {
  const std::string png = UndisturbedPng();
  const std::string own = Fingerprint(Spec());
  const std::string foreign = Fingerprint(Spec(9));
  struct Case {
    std::string name;
    std::function<std::string(std::string)> change;
  };
  const std::vector<Case> cases = {
      {"truncated", [](std::string real) { return real.substr(0, real.size() / 2); }},
      {"without its last byte", [](std::string real) { return real.substr(0, real.size() - 1); }},
      {"empty", [](std::string) { return std::string(); }},
      {"one byte changed",
       [](std::string real) {
         real[real.size() / 2] ^= 1;
         return real;
       }},
      {"with something behind it", [](std::string real) { return real + "x"; }},
      {"text", [](std::string) { return "not a checkpoint"; }},
      {"large and empty", [](std::string) { return std::string(1 << 20, '\0'); }},
      {"of another job",
       [&](std::string) { return engine::WriteCheckpoint(Forge(foreign, 3, 32)); }},
      {"of no known fingerprint",
       [](std::string) { return engine::WriteCheckpoint(Forge("0", 3, 32)); }},
      {"forged, the state too short",
       [&](std::string) { return engine::WriteCheckpoint(Forge(own, 3, 31)); }},
      {"forged, the state far too long",
       [&](std::string) { return engine::WriteCheckpoint(Forge(own, 3, 1 << 20)); }},
      {"forged, past the last step",
       [&](std::string) { return engine::WriteCheckpoint(Forge(own, 1'000, 32)); }},
      {"forged, without a state",
       [&](std::string) {
         return engine::WriteCheckpoint({own, 3, {}, {}});
       }},
  };
  for (const Case& c : cases) {
    StartWorker("w1");
    const job::JobId id = Submit();
    CrashAt(5);
    for (const std::string& key : Keys("jobs/" + id + "/c")) {
      ASSERT_TRUE(store_->Put(key, c.change(*store_->Get(key))).ok());
    }
    const double refused = Refused();
    StartWorker("w2");
    TakeAndRun();
    ASSERT_EQ(View(id).state, job::State::kDone) << c.name;
    EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 0) << c.name;
    EXPECT_EQ(Refused(), refused + 1) << c.name;
    EXPECT_EQ(Png(id), png) << c.name;
  }
}

TEST_F(CheckpointsTest, OneThatIsGoneOrUnreadableIsDoneWithout) {
  class Unreadable final : public StoreWrapper {
   public:
    Unreadable(storage::ResultStore& below, std::function<void()> meanwhile)
        : StoreWrapper(below), meanwhile_(std::move(meanwhile)) {}
    StatusOr<std::string> Get(const std::string& key) override {
      meanwhile_();
      return key.find("/c/") == std::string::npos ? below_.Get(key) : StatusOr<std::string>(answer);
    }
    Status answer;

   private:
    const std::function<void()> meanwhile_;
  };
  for (const Status& answer : {NotFound("gone"), DataLoss("a bad sector")}) {
    StartWorker("w1");
    const job::JobId id = Submit();
    CrashAt(5);
    auto real = std::move(store_);
    auto unreadable = std::make_unique<Unreadable>(*real, [this] { lease_->Tick(); });
    unreadable->answer = answer;
    store_ = std::move(unreadable);
    StartWorker("w2");
    TakeAndRun();
    EXPECT_EQ(View(id).state, job::State::kDone) << answer;
    EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 0) << answer;
    store_ = std::move(real);
  }
  EXPECT_EQ(Refused(), 2);
}

// Away until its clock has reached a time; the renewer's thread lives on meanwhile.
class StoreThatComesBack final : public StoreWrapper {
 public:
  StoreThatComesBack(storage::ResultStore& below, const Clock& clock, Millis away,
                     std::function<void()> meanwhile)
      : StoreWrapper(below),
        clock_(clock),
        back_(clock.Steady() + away),
        meanwhile_(std::move(meanwhile)) {}
  Status Put(const std::string& key, std::string_view bytes) override {
    if (IsAway()) return Unavailable("away");
    return below_.Put(key, bytes);
  }
  StatusOr<storage::TerminalRecord> CreateTerminal(const storage::TerminalRecord& record) override {
    if (IsAway()) return Unavailable("away");
    return below_.CreateTerminal(record);
  }
  StatusOr<std::string> Get(const std::string& key) override {
    if (IsAway()) return Unavailable("away");
    return below_.Get(key);
  }
  std::vector<StatusOr<storage::TerminalRecord>> ReadTerminals(
      const std::vector<job::JobId>& ids) override {
    if (IsAway()) return {ids.size(), Unavailable("away")};
    return below_.ReadTerminals(ids);
  }

 private:
  bool IsAway() {
    meanwhile_();
    return clock_.Steady() < back_;
  }

  const Clock& clock_;
  const SteadyTime back_;
  const std::function<void()> meanwhile_;
};

// Writes take their time; the renewer's thread lives on meanwhile.
class SlowStore final : public StoreWrapper {
 public:
  SlowStore(storage::ResultStore& below, FakeClock& clock, std::function<void()> meanwhile)
      : StoreWrapper(below), clock_(clock), meanwhile_(std::move(meanwhile)) {}
  Status Put(const std::string& key, std::string_view bytes) override {
    for (int second = 0; second < seconds; ++second) {
      clock_.Advance(Millis(1'000));
      meanwhile_();
    }
    if (key.find("/c/") != std::string::npos) ++checkpoints;
    return below_.Put(key, bytes);
  }
  int seconds = 0;
  int checkpoints = 0;

 private:
  FakeClock& clock_;
  const std::function<void()> meanwhile_;
};

TEST_F(CheckpointsTest, AStoreThatIsAwayForAWhileIsWaitedForAndNoStepIsDoneAgain) {
  const std::string png = UndisturbedPng();
  StartWorker("w1");
  const job::JobId id = Submit();
  CrashAt(5);
  const auto real = std::move(store_);
  store_ = std::make_unique<StoreThatComesBack>(*real, clock_, Millis(20'000),
                                                [this] { lease_->Tick(); });
  StartWorker("w2");
  TakeAndRun();
  EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 5);
  EXPECT_EQ(Png(id), png);
  EXPECT_EQ(Refused(), 0);
}

TEST_F(CheckpointsTest, AnEndInAStoreThatIsAwayForAWhileIsFoundBeforeAnythingIsComputed) {
  StartWorker("w1");
  const job::JobId id = Submit();
  CrashAt(5);
  storage::TerminalRecord ended;
  ended.id = id;
  ASSERT_TRUE(store_->CreateTerminal(ended).ok());
  const auto real = std::move(store_);
  store_ = std::make_unique<StoreThatComesBack>(*real, clock_, Millis(20'000),
                                                [this] { lease_->Tick(); });
  StartWorker("w2");
  progress_.clear();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_THAT(progress_, IsEmpty());
}

// The store's absence is longer than any stall limit, lease or watchdog's patience; the queue's
// upkeep goes on meanwhile.
TEST_F(CheckpointsTest, AStoreThatIsAwayForAnHourCostsNoTryNoCrashAndNoStep) {
  const std::string png = UndisturbedPng();
  for (const int64_t minutes : {8, 60}) {
    for (const bool while_reading : {false, true}) {
      StartWorker("w1");
      const job::JobId id = Submit();
      if (while_reading) CrashAt(5);
      const auto real = std::move(store_);
      HangWatch watch(2);
      bool hung = false;
      double waiting = 0;
      int looks = 0;
      store_ = std::make_unique<StoreThatComesBack>(*real, clock_, Millis(minutes * 60'000), [&] {
        lease_->Tick();
        hung |= watch.Hangs(lease_->activity(), clock_.Steady());
        (void)queue_.Recover(10);
        if (++looks == 1'000) waiting = Metric("phasor_waits_for_store");
      });
      StartWorker("w2");
      EXPECT_TRUE(TakeAndRun().came_out);
      EXPECT_EQ(View(id).state, job::State::kDone) << minutes;
      EXPECT_EQ(View(id).tries, 0) << minutes;
      EXPECT_EQ(View(id).crashes, while_reading ? 1 : 0) << minutes;
      EXPECT_EQ(View(id).epoch, while_reading ? 2 : 1) << minutes;
      EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), while_reading ? 5 : 0);
      EXPECT_EQ(Png(id), png);
      EXPECT_FALSE(hung);
      EXPECT_EQ(waiting, 1);
      EXPECT_EQ(Metric("phasor_waits_for_store"), 0);
      store_ = std::make_unique<storage::MemoryStore>();
    }
  }
  EXPECT_EQ(Refused(), 0);
  EXPECT_EQ(Metric("phasor_lease_stalled_total"), 0);
  EXPECT_EQ(Metric("phasor_lease_expired_total"), 2) << "of the workers that were lost before";
}

// One call takes as long as the store is away: a folder on a server that does not answer.
TEST_F(CheckpointsTest, ACallThatHangsForAnHourCostsNoJobEither) {
  StartWorker("w1");
  const job::JobId id = Submit();
  const auto real = std::move(store_);
  HangWatch watch(2);
  bool hung = false;
  auto slow = std::make_unique<SlowStore>(*real, clock_, [&] {
    lease_->Tick();
    hung |= watch.Hangs(lease_->activity(), clock_.Steady());
    (void)queue_.Recover(10);
  });
  slow->seconds = 3'600;
  store_ = std::move(slow);
  checkpoint_share_ = 0.0001;
  StartWorker("w1");
  EXPECT_TRUE(TakeAndRun().came_out);
  EXPECT_EQ(View(id).epoch, 1);
  EXPECT_FALSE(hung);
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(CheckpointsTest, AWorkerThatEndsGivesItsPictureUpRatherThanWaitForTheStore) {
  StartWorker("w1");
  const job::JobId id = Submit();
  auto real = std::move(store_);
  int calls = 0;
  store_ = std::make_unique<StoreThatComesBack>(*real, clock_, Millis(3'600'000), [&] {
    if (++calls == 20) lease_->AskToStop(StopReason::kDrained);
  });
  checkpoint_share_ = 0.0001;
  StartWorker("w1");
  EXPECT_FALSE(TakeAndRun().came_out);
  EXPECT_EQ(View(id).state, job::State::kQueued);
  EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  store_ = std::move(real);
  StartWorker("w2");
  EXPECT_TRUE(TakeAndRun().came_out);
}

TEST_F(CheckpointsTest, WhoIsCanceledWaitsNoLongerForTheStore) {
  StartWorker("w1");
  const job::JobId id = Submit();
  CrashAt(5);
  const auto real = std::move(store_);
  store_ = std::make_unique<StoreThatComesBack>(
      *real, clock_, Millis(20'000), [this, id] { lease_->AskToStop(StopReason::kCanceled, id); });
  StartWorker("w2");
  const SteadyTime begin = clock_.Steady();
  TakeAndRun();
  EXPECT_LT(SecondsBetween(begin, clock_.Steady()), 5);
}

TEST_F(CheckpointsTest, TheyCostAtMostTheirShare) {
  fake_.step_time = Millis(200);
  checkpoint_share_ = 0.01;
  StartWorker("w1");
  Submit(50);
  TakeAndRun();
  // 10 s of work and a presumed first cost of 10 ms: the first after 1 s. Storing takes no time
  // under this clock, so from there on there is one after each step.
  EXPECT_GT(Metric("phasor_checkpoint_bytes_count"), 5);
  checkpoint_share_ = 0.0001;
  StartWorker("w2");
  const double before = Metric("phasor_checkpoint_bytes_count");
  Submit(50);
  TakeAndRun();
  EXPECT_EQ(Metric("phasor_checkpoint_bytes_count"), before);
}

TEST_F(CheckpointsTest, AStoreThatTakesAMinuteLosesNoLeaseAndIsAskedRarely) {
  fake_.step_time = Millis(5'000);
  checkpoint_share_ = 0.01;
  const auto real = std::move(store_);
  auto slow = std::make_unique<SlowStore>(*real, clock_, [this] { lease_->Tick(); });
  SlowStore& store = *slow;
  store_ = std::move(slow);
  StartWorker("w1");
  on_progress_ = [this](const v1::JobProgress&) { lease_->Tick(); };
  store.seconds = 60;
  const job::JobId id = Submit(130);  // 650 s of work
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(View(id).epoch, 1);
  // The first before its cost is known, then one each 300 s although it is dearer than its share.
  EXPECT_EQ(store.checkpoints, 3);
  EXPECT_EQ(Metric("phasor_lease_expired_total"), 0);
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(CheckpointsTest, TheyAreSkippedWhileTheDiskIsFullAndTheJobGoesOn) {
  class Full final : public StoreWrapper {
   public:
    using StoreWrapper::StoreWrapper;
    Status Put(const std::string& key, std::string_view bytes) override {
      if (key.find("/c/") == std::string::npos) return below_.Put(key, bytes);
      return ResourceExhausted("no space left on the device");
    }
  };
  const auto real = std::move(store_);
  store_ = std::make_unique<Full>(*real);
  StartWorker("w1");
  const job::JobId id = Submit();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_GT(Metric("phasor_checkpoint_failures_total"), 0);
  EXPECT_EQ(Metric("phasor_checkpoint_bytes_count"), 0);
  EXPECT_THAT(*storage::ListKeys(*real, "jobs/" + id + "/c"), IsEmpty());
  store_ = std::make_unique<storage::MemoryStore>();
}

TEST_F(CheckpointsTest, OnlyTheNewestThatTheQueueKnowsIsKept) {
  StartWorker("w1");
  const job::JobId id = Submit();
  size_t most = 0;
  on_progress_ = [&](const v1::JobProgress&) {
    lease_->RenewSoon();
    lease_->Tick();
    most = std::max(most, Keys("jobs/" + id + "/c").size());
  };
  TakeAndRun();
  EXPECT_GT(Metric("phasor_checkpoint_bytes_count"), 5);
  EXPECT_LE(most, 2u);
  EXPECT_THAT(Keys("jobs/" + id + "/c"), IsEmpty());
}

}  // namespace
}  // namespace phasor::worker
