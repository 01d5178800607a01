#include "services/worker/take/job_group.h"

#include "common/rpc/result_convert.h"
#include "engine/api/device_lost.h"
#include "gmock/gmock.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Jobs a, b, c ... of four steps on a worker whose device does not hold all phases' weights.
class JobGroupTest : public WorkerFixture {
 protected:
  JobGroupTest() {
    fake_.encode_time = Millis(10);
    fake_.step_time = Millis(100);
    fake_.decode_time = Millis(50);
    fake_.swap_time = Millis(20);
    fake_.before_unit = [this](const PictureSpec& spec, const engine::Unit& unit) {
      const std::string word = spec.prompt.substr(0, 1) + " " + std::string(ToString(unit.kind));
      if (units_.empty() || units_.back() != word) units_.push_back(word);
      if (on_unit_) on_unit_(spec.prompt.substr(0, 1), unit);
      return OkStatus();
    };
    checkpoint_share_ = 1;  // after each step
    StartWorker("w1");
  }

  std::vector<job::JobId> SubmitAll(const std::vector<std::string>& prompts, int steps = 4) {
    std::vector<job::JobId> ids;
    for (const std::string& prompt : prompts) {
      prompt_ = prompt;
      ids.push_back(Submit(steps));
    }
    return ids;
  }

  std::unique_ptr<JobGroup> GroupOf(Taker& taker) {
    return std::make_unique<JobGroup>(JobGroup::Parts{.taker = taker,
                                                      .runner = *runner_,
                                                      .models = *models_,
                                                      .lease = *lease_,
                                                      .intake = intake_,
                                                      .stretch = stretch_,
                                                      .status = status_,
                                                      .metrics = metrics_,
                                                      .clock = clock_,
                                                      .may_take = [this] { return may_take_; }},
                                      config_);
  }

  // As the worker that was started; what it owes is told.
  Status RunGroup() {
    units_.clear();
    Taker taker(queue_, patience_, {.worker = name_, .node = name_});
    const auto taken = taker.Take({"tiny"});
    EXPECT_TRUE(taken.ok() && taken->has_value());
    const Status status = GroupOf(taker)->Run(**taken);
    taker.Settle();
    return status;
  }

  // The pictures of jobs that were computed alone.
  std::vector<std::string> Undisturbed(const std::vector<std::string>& prompts, int steps = 4) {
    const GroupConfig before = std::exchange(config_, {.jobs = 1});
    std::vector<std::string> pictures;
    for (const job::JobId& id : SubmitAll(prompts, steps)) {
      EXPECT_TRUE(RunGroup().ok());
      pictures.push_back(Png(id));
    }
    config_ = before;
    return pictures;
  }

  std::vector<std::string> Pngs(const std::vector<job::JobId>& ids) {
    std::vector<std::string> pictures;
    for (const job::JobId& id : ids) pictures.push_back(Png(id));
    return pictures;
  }

  // At the first unit of this kind and index of job `of`.
  void At(const std::string& of, engine::UnitKind kind, int index, std::function<void()> act) {
    on_unit_ = [=, this](const std::string& job, const engine::Unit& unit) {
      if (job != of || unit.kind != kind || unit.index != index) return;
      const std::function<void()> once = act;
      on_unit_ = nullptr;  // and with it what is captured here
      once();
    };
  }

  double Moves() {
    double moves = 0;
    for (const char* phase : {"encode", "denoise", "decode"}) {
      moves += Metric("phasor_weights_moved_seconds_count{model=\"tiny\",phase=\"" +
                      std::string(phase) + "\"}");
    }
    return moves;
  }

  GroupConfig config_{.jobs = 3, .wait = Millis(3'600'000)};
  Intake intake_{{}, clock_, [] { return 0.0; }};
  Stretch stretch_{config_};
  bool may_take_ = true;
  std::vector<std::string> units_;  // "a encode", one after the other, equal ones once
  std::function<void(const std::string&, const engine::Unit&)> on_unit_;
};

TEST_F(JobGroupTest, PhaseByPhaseToTheBytesThatEachHasAlone) {
  fake_.memory = {.capacity = 1 << 30, .model_bytes = 1, .pixel_bytes = 1};
  StartWorker("w1");
  const std::vector<std::string> alone = Undisturbed({"a", "b", "c"});
  const double moves_alone = Moves();
  const auto ids = SubmitAll({"a", "b", "c", "d"});
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_THAT(units_, ElementsAre("a encode", "b encode", "c encode", "a denoise", "b denoise",
                                  "c denoise", "a decode", "b decode", "c decode"));
  EXPECT_EQ(Pngs({ids[0], ids[1], ids[2]}), alone);
  EXPECT_EQ(View(ids[3]).state, job::State::kQueued) << "as many as may";
  EXPECT_EQ(moves_alone, 9);
  EXPECT_EQ(Moves() - moves_alone, 3);
  EXPECT_EQ(Metric("phasor_group_jobs_sum"), 6);
  EXPECT_EQ(Metric("phasor_group_jobs_count"), 4);
  EXPECT_EQ(Metric("phasor_inflight_jobs"), 0);
}

TEST_F(JobGroupTest, EachAloneWhereTheDeviceHoldsAll) {
  fake_.swap_time = Millis(0);
  StartWorker("w1");
  const auto ids = SubmitAll({"a", "b"});
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_THAT(units_, ElementsAre("a encode", "a denoise", "a decode"));
  EXPECT_EQ(View(ids[1]).state, job::State::kQueued);
}

TEST_F(JobGroupTest, AGroupThatTakesTooLongGoesOnJobByJob) {
  config_.wait = Millis(1'500);
  SubmitAll({"a", "b", "c"});
  At("b", engine::UnitKind::kStep, 1, [this] { clock_.Advance(Millis(2'000)); });
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_THAT(units_, ElementsAre("a encode", "b encode", "c encode", "a denoise", "b denoise",
                                  "a decode", "b denoise", "b decode", "c denoise", "c decode"));
}

TEST_F(JobGroupTest, TheLeasesOfThoseThatWaitAreKeptForAsLongAsUnitsEnd) {
  priority_ = job::Priority::kLow;
  const auto ids = SubmitAll({"a", "b", "c"}, 300);
  on_unit_ = [this](const std::string&, const engine::Unit&) {
    lease_->Tick();
    EXPECT_EQ(*queue_.Recover(10), 0);
  };
  const SteadyTime begin = clock_.Steady();
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_GT(SecondsBetween(begin, clock_.Steady()), 90);
  for (const job::JobId& id : ids) {
    EXPECT_EQ(View(id).state, job::State::kDone);
    EXPECT_EQ(View(id).epoch, 1);
  }
  EXPECT_EQ(Metric("phasor_lease_stalled_total"), 0);
}

TEST_F(JobGroupTest, OneThatIsCanceledWhileItWaitsGoesAndTheOthersStay) {
  const auto ids = SubmitAll({"a", "b", "c"});
  At("a", engine::UnitKind::kStep, 1, [&] {
    ASSERT_TRUE(queue_.Cancel(ids[1], {}).ok());
    lease_->RenewSoon();
    lease_->Tick();
  });
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_THAT(units_, ElementsAre("a encode", "b encode", "c encode", "a denoise", "c denoise",
                                  "a decode", "c decode"));
  EXPECT_EQ(View(ids[0]).state, job::State::kDone);
  EXPECT_EQ(View(ids[1]).state, job::State::kCanceled);
  EXPECT_EQ(View(ids[2]).state, job::State::kDone);
}

TEST_F(JobGroupTest, AllMakeRoomForAMoreUrgentJobAndGoOnWhereTheyWere) {
  const std::vector<std::string> alone = Undisturbed({"a", "b", "c"});
  const auto ids = SubmitAll({"a", "b", "c"});
  At("b", engine::UnitKind::kStep, 2, [&] {
    intake_.RestAfter(ids[2], Millis(1'000));
    lease_->AskToStop(StopReason::kPreempted, ids[2]);
  });
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_EQ(intake_.Look(), Closed::kResting);
  EXPECT_EQ(View(ids[0]).state, job::State::kDone) << "it could not be saved any more";
  for (const job::JobId& id : {ids[1], ids[2]}) {
    EXPECT_EQ(View(id).state, job::State::kQueued);
    EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  }
  units_.clear();
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_EQ(Pngs(ids), alone);
  EXPECT_EQ(rpc::ResultOf(Record(ids[1])).resumed_from_step(), 3);
}

TEST_F(JobGroupTest, AMoreUrgentMemberDoesNotMakeRoomForWhatALessUrgentOneIsAskedFor) {
  SubmitAll({"a"});
  priority_ = job::Priority::kHigh;
  const auto urgent = SubmitAll({"b"});
  priority_ = job::Priority::kNormal;
  const auto late = SubmitAll({"c"});
  At("b", engine::UnitKind::kStep, 1,
     [&] { lease_->AskToStop(StopReason::kPreempted, late.front()); });
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_EQ(View(urgent.front()).state, job::State::kDone);
  EXPECT_EQ(View(late.front()).state, job::State::kQueued);
}

TEST_F(JobGroupTest, ADrainGivesAllBackAndAnotherWorkerGoesOnToTheSameBytes) {
  const std::vector<std::string> alone = Undisturbed({"a", "b", "c"});
  const auto ids = SubmitAll({"a", "b", "c"});
  At("b", engine::UnitKind::kStep, 2, [this] { lease_->AskToStop(StopReason::kDrained); });
  EXPECT_TRUE(RunGroup().ok());
  for (const job::JobId& id : ids) {
    EXPECT_EQ(View(id).state, job::State::kQueued);
    EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  }
  StartWorker("w2");
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_EQ(Pngs(ids), alone);
  EXPECT_EQ(rpc::ResultOf(Record(ids[0])).resumed_from_step(), 4) << "all of its steps";
  EXPECT_EQ(rpc::ResultOf(Record(ids[1])).resumed_from_step(), 3);
  EXPECT_EQ(rpc::ResultOf(Record(ids[2])).resumed_from_step(), 0) << "none was done";
}

TEST_F(JobGroupTest, NobodyIsTakenAfterADrainHasBegun) {
  const auto ids = SubmitAll({"a", "b"});
  may_take_ = false;
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_EQ(View(ids[0]).state, job::State::kDone);
  EXPECT_EQ(View(ids[1]).state, job::State::kQueued);
}

TEST_F(JobGroupTest, AKilledWorkerCostsEachOneCrashAndFromThenOnEachIsAlone) {
  const std::vector<std::string> alone = Undisturbed({"a", "b", "c"});
  const auto ids = SubmitAll({"a", "b", "c"});
  At("b", engine::UnitKind::kStep, 2, [this] {
    lease_->RenewSoon();
    lease_->Tick();
    line_.cut = true;  // the queue hears nothing any more
    lease_->AskToStop(StopReason::kLeaseLost);
  });
  EXPECT_TRUE(RunGroup().ok());
  line_.cut = false;
  clock_.Advance(Millis(60'000));
  ASSERT_EQ(*queue_.Recover(10), 3);
  for (const job::JobId& id : ids) EXPECT_EQ(View(id).crashes, 1);
  StartWorker("w2");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(RunGroup().ok());
    for (const std::string& word : units_) EXPECT_EQ(word[0], units_.front()[0]);
  }
  EXPECT_EQ(Pngs(ids), alone);
  for (const job::JobId& id : ids) EXPECT_EQ(View(id).crashes, 1);
  EXPECT_EQ(rpc::ResultOf(Record(ids[0])).resumed_from_step(), 4);
}

TEST_F(JobGroupTest, OneThatIsToBeAloneIsGivenBackAtOnceAndJoinsNobody) {
  prompt_ = "s";
  const job::JobId solo = Submit(4);
  CrashAt(1);
  EXPECT_EQ(View(solo).crashes, 1);
  priority_ = job::Priority::kHigh;
  const auto ids = SubmitAll({"a"});
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_THAT(units_, ElementsAre("a encode", "a denoise", "a decode"));
  EXPECT_EQ(View(solo).state, job::State::kQueued);
  EXPECT_EQ(View(solo).crashes, 1);
  SubmitAll({"b"});
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_THAT(units_, ::testing::SizeIs(3)) << "one job";
}

TEST_F(JobGroupTest, OneThatFailsHarmsNoOther) {
  const auto ids = SubmitAll({"a", "b fault:internal@step1", "c fault:oom@decode"});
  EXPECT_TRUE(RunGroup().ok());
  EXPECT_EQ(View(ids[0]).state, job::State::kDone);
  EXPECT_EQ(View(ids[1]).tries, 1);
  EXPECT_EQ(View(ids[2]).tries, 1);
  EXPECT_EQ(Metric("phasor_inflight_jobs"), 0);
}

TEST_F(JobGroupTest, ALostDeviceIsTheFaultOfTheOneWhoseUnitItWas) {
  const auto ids = SubmitAll({"a", "b fault:device-lost@step1", "c"});
  EXPECT_TRUE(engine::IsDeviceLost(RunGroup()));
  EXPECT_EQ(devices_lost_, 1);
  EXPECT_EQ(View(ids[1]).crashes, 1);
  for (const job::JobId& id : {ids[0], ids[2]}) {
    EXPECT_EQ(View(id).state, job::State::kQueued);
    EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  }
  EXPECT_THAT(Keys("jobs/" + ids[2] + "/c"), IsEmpty());
}

TEST_F(JobGroupTest, ATakeWithoutAnAnswerKeepsNobodyWaiting) {
  LossyLine line(queue_);
  const auto ids = SubmitAll({"a", "b"});
  Taker taker(line, patience_, {.worker = name_, .node = name_});
  const auto first = taker.Take({"tiny"});
  ASSERT_TRUE(first.ok() && first->has_value());
  line.lost_replies = 1;
  EXPECT_TRUE(GroupOf(taker)->Run(**first).ok());
  taker.Settle();
  EXPECT_EQ(View(ids[0]).state, job::State::kDone);
  EXPECT_TRUE(taker.MayHoldJob());
  const auto second = taker.Take({"tiny"});
  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_EQ((*second)->grant.fence.id, ids[1]);
  EXPECT_EQ((*second)->grant.fence.epoch, 1);
}

}  // namespace
}  // namespace phasor::worker
