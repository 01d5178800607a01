// A worker that was stopped for longer than its lease, at the worst moments: whatever it does
// afterwards, the other owner's result is the only one.

#include "gmock/gmock.h"
#include "services/worker/testing/store_wrapper.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Calls a hook before each write.
class HookedStore final : public StoreWrapper {
 public:
  using StoreWrapper::StoreWrapper;
  Status Put(const std::string& key, std::string_view bytes) override {
    if (before_put) before_put();
    return below_.Put(key, bytes);
  }
  StatusOr<storage::TerminalRecord> CreateTerminal(const storage::TerminalRecord& record) override {
    if (before_record) before_record();
    return below_.CreateTerminal(record);
  }
  std::function<void()> before_put, before_record;
};

class FencingTest : public WorkerFixture {
 protected:
  FencingTest() {
    fake_.step_time = Millis(100);
    auto hooked = std::make_unique<HookedStore>(real_);
    hooks_ = hooked.get();
    store_ = std::move(hooked);
    StartWorker("w1");
  }

  // What happens elsewhere while this process is stopped: the lease ends, another worker takes the
  // job, draws it and completes it.
  void StopWhileAnotherFinishes(const job::JobId& id) {
    clock_.Advance(Millis(16'000));
    ASSERT_EQ(*queue_.Recover(10), 1);
    const auto grant =
        queue_.Take({.worker = "w2", .node = "n2", .nonce = "w2", .models = {"tiny"}});
    ASSERT_TRUE(grant.ok() && grant->has_value());
    storage::TerminalRecord record;
    record.id = id;
    record.epoch = (*grant)->fence.epoch;
    record.nonce = "w2";
    record.worker = "w2";
    ASSERT_TRUE(real_.CreateTerminal(record).ok());
    ASSERT_EQ(*queue_.Complete((*grant)->fence, "result of w2"), queue::OwnerAnswer::kOk);
  }

  void ExpectOnlyTheOthersResult(const job::JobId& id) {
    EXPECT_EQ(Record(id).worker, "w2");
    EXPECT_EQ(View(id).result, "result of w2");
    EXPECT_THAT(Keys("jobs/" + id + "/r"), IsEmpty());
    EXPECT_EQ(View(id).epoch, 2);
  }

  storage::MemoryStore real_;
  HookedStore* hooks_ = nullptr;
};

TEST_F(FencingTest, StoppedInTheMiddleItPublishesNothing) {
  const job::JobId id = Submit();
  on_progress_ = [this](const v1::JobProgress& progress) {
    if (progress.step() != 3) return;
    clock_.Advance(Millis(12'100));  // past lease - 20 %
    line_.cut = true;
  };
  TakeAndRun();
  EXPECT_FALSE(store_->ReadTerminal(id).ok());
  EXPECT_THAT(Keys("jobs/" + id + "/r"), IsEmpty());
  EXPECT_EQ(Metric("phasor_lease_expired_total"), 1);
  EXPECT_EQ(progress_.back().step(), 3) << "it stops at the next unit";
}

TEST_F(FencingTest, StoppedBeforeItPutsItsPictureItPutsNone) {
  const job::JobId id = Submit();
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.state() == v1::DECODING) StopWhileAnotherFinishes(id);
  };
  bool put = false;
  hooks_->before_put = [&] { put = true; };
  TakeAndRun();
  EXPECT_FALSE(put);
  ExpectOnlyTheOthersResult(id);
}

TEST_F(FencingTest, StoppedBetweenPictureAndRecordItTakesThePictureBack) {
  const job::JobId id = Submit();
  bool tried = false;
  hooks_->before_put = [&] { StopWhileAnotherFinishes(id); };
  hooks_->before_record = [&] { tried = true; };
  TakeAndRun();
  EXPECT_FALSE(tried) << "it looked at its own deadline first";
  ExpectOnlyTheOthersResult(id);
}

TEST_F(FencingTest, AQueueThatStallsNearlyAsLongAsTheLeaseCostsNoJob) {
  for (const int64_t stall : {12'100, 14'000, 14'900}) {
    const job::JobId id = Submit();
    on_progress_ = [this, stall](const v1::JobProgress& progress) {
      if (progress.step() == 3) clock_.Advance(Millis(stall));
    };
    EXPECT_TRUE(TakeAndRun().came_out) << stall;
    EXPECT_EQ(View(id).state, job::State::kDone) << stall;
    EXPECT_EQ(View(id).epoch, 1) << stall;
  }
  EXPECT_EQ(Metric("phasor_lease_expired_total"), 0);
}

TEST_F(FencingTest, AGrantThatComesLateIsKeptIfItIsStillThisWorkers) {
  for (const int64_t late : {7'500, 13'000, 16'000, 60'000}) {
    const job::JobId id = Submit();
    const Taker::Taken taken = Take();
    const JobEnd end = runner_->Run(taken.grant, taken.sent - Millis(late));
    EXPECT_TRUE(end.came_out) << late;
    EXPECT_EQ(View(id).epoch, 1) << late;
    ASSERT_TRUE(queue_.Complete(end.completion->fence, end.completion->result).ok());
  }
}

TEST_F(FencingTest, AGrantThatComesLateIsDroppedIfAnotherHasTheJob) {
  const job::JobId id = Submit();
  const Taker::Taken taken = Take();
  StopWhileAnotherFinishes(id);
  EXPECT_FALSE(runner_->Run(taken.grant, taken.sent).came_out);
  EXPECT_THAT(progress_, IsEmpty()) << "nothing is computed";
  ExpectOnlyTheOthersResult(id);
}

TEST_F(FencingTest, AGrantThatComesLateWaitsForAQueueThatStallsAgainForOneLease) {
  Submit();
  const Taker::Taken taken = Take();
  line_.cut = true;
  const SteadyTime begin = clock_.Steady();
  EXPECT_FALSE(runner_->Run(taken.grant, taken.sent - Millis(13'000)).came_out);
  EXPECT_THAT(progress_, IsEmpty());
  EXPECT_GE(SecondsBetween(begin, clock_.Steady()), 15);
  EXPECT_LE(SecondsBetween(begin, clock_.Steady()), 40);
}

// The last moment there is: the own deadline has been looked at, then the process is stopped.
TEST_F(FencingTest, StoppedRightBeforeTheRecordItLosesTheRaceForIt) {
  const job::JobId id = Submit();
  hooks_->before_record = [&] { StopWhileAnotherFinishes(id); };
  const JobEnd end = TakeAndRun();
  ExpectOnlyTheOthersResult(id);
  EXPECT_FALSE(end.failed.has_value());
}

TEST_F(FencingTest, StoppedRightAfterTheRecordItsResultStands) {
  const job::JobId id = Submit();
  hooks_->before_record = [&] {
    hooks_->before_record = nullptr;
    // The lease ends before COMPLETE is sent; the next owner finds the record.
    clock_.Advance(Millis(16'000));
    ASSERT_EQ(*queue_.Recover(10), 1);
  };
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kQueued) << "FENCED: the queue does not listen";
  EXPECT_EQ(Record(id).worker, "w1");
  const std::string png = Png(id);
  progress_.clear();
  StartWorker("w2");
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(Png(id), png);
  EXPECT_THAT(progress_, IsEmpty()) << "nothing was computed again";
}

TEST_F(FencingTest, AStoreOutOfReachIsWaitedForUntilTheJobIsAnothers) {
  class Unreachable final : public StoreWrapper {
   public:
    Unreachable(storage::ResultStore& below, std::function<void(int)> meanwhile)
        : StoreWrapper(below), meanwhile_(std::move(meanwhile)) {}
    Status Put(const std::string&, std::string_view) override {
      meanwhile_(++calls_);
      return Unavailable("no route");
    }

   private:
    const std::function<void(int)> meanwhile_;
    int calls_ = 0;
  };
  job::JobId id;
  store_ = std::make_unique<Unreachable>(real_, [&](int calls) {
    if (calls == 100) StopWhileAnotherFinishes(id);
  });
  StartWorker("w1");
  id = Submit();
  EXPECT_FALSE(TakeAndRun().came_out);
  ExpectOnlyTheOthersResult(id);
  EXPECT_EQ(View(id).tries, 0);
}

TEST_F(FencingTest, AStoreAndAQueueOutOfReachEndTheWaitingAfterTheLease) {
  class Unreachable final : public StoreWrapper {
   public:
    using StoreWrapper::StoreWrapper;
    Status Put(const std::string&, std::string_view) override { return Unavailable("no route"); }
  };
  store_ = std::make_unique<Unreachable>(real_);
  StartWorker("w1");
  line_.cut = true;
  const job::JobId id = Submit();
  const SteadyTime begin = clock_.Steady();
  TakeAndRun();
  EXPECT_GE(SecondsBetween(begin, clock_.Steady()), 11);
  EXPECT_LE(SecondsBetween(begin, clock_.Steady()), 65);
  EXPECT_FALSE(real_.ReadTerminal(id).ok());
  EXPECT_EQ(View(id).state, job::State::kLeased) << "until the lease ends";
  EXPECT_EQ(View(id).tries, 0);
}

}  // namespace
}  // namespace phasor::worker
