#include "services/worker/run/job_runner.h"

#include "common/image/png.h"
#include "common/rpc/result_convert.h"
#include "gmock/gmock.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobRunnerTest : public WorkerFixture {};

TEST_F(JobRunnerTest, PublishesAPictureThatSaysHowItWasMade) {
  StartWorker("w1");
  const job::JobId id = Submit();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  const storage::TerminalRecord record = Record(id);
  ASSERT_THAT(record.images, SizeIs(1));
  EXPECT_EQ(record.worker, "w1");
  const std::string png = Png(id);
  EXPECT_EQ(record.images[0].sha256, Sha256Hex(png));
  EXPECT_EQ(record.images[0].bytes, png.size());
  const auto picture = image::DecodePng(png, 1 << 20);
  ASSERT_TRUE(picture.ok());
  EXPECT_EQ(picture->width, 64);
  EXPECT_THAT(picture->texts[0].text, HasSubstr("a red circle"));
  const v1::Result result = rpc::ResultOf(record);
  EXPECT_EQ(result.attempts(), 1);
  EXPECT_EQ(result.scheduler(), "DDIMScheduler");
  EXPECT_EQ(Metric("phasor_jobs_total{model=\"tiny\",state=\"DONE\"}"), 1);
}

TEST_F(JobRunnerTest, SeveralImagesDrawFromSuccessiveSeeds) {
  StartWorker("w1");
  const job::JobId id = Submit(4, 3);
  TakeAndRun();
  const auto images = Record(id).images;
  ASSERT_THAT(images, SizeIs(3));
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(images[i].seed, 7 + i);
  EXPECT_NE(images[0].sha256, images[1].sha256);
}

TEST_F(JobRunnerTest, ReportsPhasesStepsAndPreviews) {
  fake_.step_time = Millis(100);
  preview_every_ = 2;
  StartWorker("w1");
  Submit(4);
  TakeAndRun();
  int previews = 0;
  for (const auto& progress : progress_) previews += progress.preview_png().empty() ? 0 : 1;
  EXPECT_EQ(previews, 2);
  EXPECT_EQ(progress_.front().state(), v1::INITIALIZING);
  EXPECT_EQ(progress_.back().state(), v1::DECODING);
  EXPECT_EQ(progress_.back().step(), 4);
  EXPECT_EQ(progress_.back().steps(), 4);
}

TEST_F(JobRunnerTest, TheRecordSaysWhoseJobItWasAndWhenItCameAndBegan) {
  fake_.step_time = Millis(100);
  StartWorker("w1");
  const job::JobId id = Submit();
  TakeAndRun();
  const storage::TerminalRecord record = Record(id);
  EXPECT_EQ(record.model, View(id).model);
  EXPECT_EQ(record.tenant, View(id).tenant);
  EXPECT_EQ(record.accepted_ms, View(id).enqueued_ms);
  EXPECT_GE(record.started_ms, record.accepted_ms);
  EXPECT_LT(record.started_ms, record.finished_ms);
}

TEST_F(JobRunnerTest, WaitingIsCountedOnceAndTheTimeToThePictureFromTheSubmit) {
  fake_.step_time = Millis(1'000);
  checkpoint_share_ = 1;  // after each step
  priority_ = job::Priority::kHigh;
  for (const std::string state : {"DONE", "FAILED"}) {
    EXPECT_THAT(registry_.Text(),
                HasSubstr("phasor_jobs_total{model=\"tiny\",state=\"" + state + "\"} 0\n"))
        << "a counter that is born at 1 has no rate";
  }
  StartWorker("w1");
  const job::JobId id = Submit();
  clock_.Advance(Millis(3'000));
  CrashAt(5);
  StartWorker("w2");
  TakeAndRun();
  ASSERT_EQ(View(id).state, job::State::kDone);
  const std::string labels = "{model=\"tiny\",priority=\"HIGH\"}";
  EXPECT_EQ(Metric("phasor_queue_wait_seconds_count" + labels), 1) << "the second worker's is none";
  EXPECT_EQ(Metric("phasor_queue_wait_seconds_sum" + labels), 3);
  EXPECT_EQ(Metric("phasor_time_to_picture_seconds_count" + labels), 1);
  EXPECT_GE(Metric("phasor_time_to_picture_seconds_sum" + labels), 3 + 8 + 60)
      << "waiting, eight steps, and the minute until the job was taken back";
  EXPECT_EQ(Metric("phasor_done_cost_total{model=\"tiny\"}"), job::Cost(Spec().picture));
}

TEST_F(JobRunnerTest, AnotherWorkerGoesOnAtTheCheckpointWithTheSameBytes) {
  fake_.step_time = Millis(100);
  checkpoint_share_ = 1;  // after each step
  StartWorker("undisturbed");
  const job::JobId plain = Submit();
  TakeAndRun();

  StartWorker("w1");
  const job::JobId id = Submit();
  CrashAt(5);
  EXPECT_EQ(View(id).crashes, 1);
  StartWorker("w2");
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(Png(id), Png(plain));
  const v1::Result result = rpc::ResultOf(Record(id));
  EXPECT_GE(result.resumed_from_step(), 4);
  EXPECT_EQ(result.attempts(), 2);
  EXPECT_EQ(Metric("phasor_resumed_jobs_total{exact=\"true\"}"), 1);
  EXPECT_THAT(Keys("jobs/" + id + "/c"), IsEmpty()) << "checkpoints go with the job's end";
}

TEST_F(JobRunnerTest, TheLoserOfTheRecordDeletesItsPictures) {
  StartWorker("w1");
  const job::JobId id = Submit();
  const Taker::Taken taken = Take();
  storage::TerminalRecord other;
  other.id = id;
  other.epoch = 99;
  other.nonce = "other";
  other.worker = "w2";
  on_progress_ = [&](const v1::JobProgress&) { (void)store_->CreateTerminal(other); };
  const JobEnd end = runner_->Run(taken.grant, taken.sent);
  EXPECT_EQ(Record(id).worker, "w2");
  EXPECT_THAT(Keys("jobs/" + id + "/r"), IsEmpty());
  ASSERT_TRUE(end.completion.has_value());
  EXPECT_EQ(end.completion->fence.id, id);
  EXPECT_EQ(end.completion->result, storage::TerminalKey(id));
}

TEST_F(JobRunnerTest, ARecordThatStandsIsTakenOverWithoutComputing) {
  StartWorker("w1");
  const job::JobId id = Submit();
  const Taker::Taken first = Take();
  queue::Failure failure;
  failure.fence = first.grant.fence;
  failure.retryable = true;
  ASSERT_TRUE(queue_.Fail(failure).ok());
  storage::TerminalRecord record;
  record.id = id;
  record.nonce = "earlier";
  ASSERT_TRUE(store_->CreateTerminal(record).ok());
  (void)queue_.Recover(10);
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_THAT(progress_, IsEmpty());
}

TEST_F(JobRunnerTest, ACancelledJobStopsAtTheNextUnit) {
  fake_.step_time = Millis(100);
  StartWorker("w1");
  const job::JobId id = Submit();
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.step() != 3 || View(id).state == job::State::kCanceled) return;
    ASSERT_TRUE(queue_.Cancel(id, {}).ok());
    lease_->RenewSoon();  // what the report stream's hint does
    lease_->Tick();
  };
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kCanceled);
  EXPECT_EQ(progress_.back().step(), 3);
  EXPECT_FALSE(store_->ReadTerminal(id).ok());
}

TEST_F(JobRunnerTest, ADrainedJobIsCheckpointedAndGivenBackWithoutACounter) {
  fake_.step_time = Millis(100);
  StartWorker("w1");
  const job::JobId id = Submit();
  on_progress_ = [&](const v1::JobProgress& progress) {
    if (progress.step() == 3) lease_->AskToStop(StopReason::kDrained);
  };
  TakeAndRun();
  on_progress_ = nullptr;
  EXPECT_EQ(View(id).state, job::State::kQueued);
  EXPECT_EQ(View(id).tries + View(id).crashes, 0);
  StartWorker("w2");
  TakeAndRun();
  EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 4);
  EXPECT_EQ(rpc::ResultOf(Record(id)).attempts(), 1);
}

TEST_F(JobRunnerTest, ALessUrgentJobMakesRoomAndIsDoneAfterwardsWithTheSameBytes) {
  fake_.step_time = Millis(1'000);
  const auto keep_the_lease = [this](const v1::JobProgress&) { lease_->Tick(); };
  on_progress_ = keep_the_lease;
  StartWorker("undisturbed");
  const job::JobId plain = Submit(20);
  TakeAndRun();

  StartWorker("w1");
  const job::JobId patient = Submit(20);
  job::JobId urgent;
  on_progress_ = [&](const v1::JobProgress& progress) {
    lease_->Tick();
    if (progress.step() == 3 && urgent.empty()) {
      priority_ = job::Priority::kUrgent;
      urgent = Submit(2);
    }
    (void)queue_.Preempt(10);  // what a gateway does every second
  };
  const JobEnd end = TakeAndRun();
  on_progress_ = keep_the_lease;
  EXPECT_FALSE(end.came_out);
  EXPECT_EQ(View(patient).state, job::State::kQueued);
  EXPECT_EQ(View(patient).tries + View(patient).crashes, 0);
  EXPECT_TRUE(TakeAndRun().came_out);
  EXPECT_EQ(View(urgent).state, job::State::kDone) << "the urgent one goes first";
  EXPECT_TRUE(TakeAndRun().came_out);
  EXPECT_GT(rpc::ResultOf(Record(patient)).resumed_from_step(), 5);
  EXPECT_EQ(Png(patient), Png(plain));
}

TEST_F(JobRunnerTest, TheRecordTellsWhichRequestItAnswers) {
  StartWorker("w1");
  const job::JobId id = SubmitBytes(
      rpc::EncodeJobSpec({.spec = Spec(), .trace_parent = "", .fingerprint = "as sent"}));
  TakeAndRun();
  EXPECT_EQ(rpc::FingerprintOf(Record(id)), "as sent");
}

TEST_F(JobRunnerTest, AJobWhoseRecordNobodyCouldAskForIsLookedUpBeforeItIsDrawn) {
  StartWorker("w1");
  const job::JobId id = SubmitBytes(rpc::EncodeJobSpec(
      {.spec = Spec(), .trace_parent = "", .fingerprint = "", .record_unread = true}));
  storage::TerminalRecord record;
  record.id = id;
  record.state = job::State::kCanceled;
  ASSERT_TRUE(store_->CreateTerminal(record).ok());
  EXPECT_FALSE(TakeAndRun().came_out);
  EXPECT_EQ(View(id).state, job::State::kSealing) << "a gateway mirrors what the record says";
  EXPECT_EQ(Record(id).state, job::State::kCanceled);
  // Without a record it is drawn as any other.
  const job::JobId fresh = SubmitBytes(rpc::EncodeJobSpec(
      {.spec = Spec(), .trace_parent = "", .fingerprint = "", .record_unread = true}));
  EXPECT_TRUE(TakeAndRun().came_out);
  EXPECT_EQ(View(fresh).state, job::State::kDone);
}

TEST_F(JobRunnerTest, AFailedUnitIsRetriedFromTheStateBeforeIt) {
  fake_.step_time = Millis(100);
  fake_.before_unit = engine::FailNthUnit(5, ResourceExhausted("out of memory: 3 MiB"));
  StartWorker("w1");
  const job::JobId id = Submit();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kWaiting);
  EXPECT_EQ(View(id).tries, 1);
  EXPECT_THAT(View(id).reason, HasSubstr("out of memory"));
  EXPECT_EQ(Metric("phasor_retries_total{reason=\"RESOURCE_EXHAUSTED\"}"), 1);
  clock_.Advance(Millis(31'000));
  (void)queue_.Recover(10);
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kDone);
  EXPECT_EQ(rpc::ResultOf(Record(id)).resumed_from_step(), 3);
}

TEST_F(JobRunnerTest, AnUnreadableModelOnTwoNodesEndsTheJobWithASentenceAndTheWorkerLivesOn) {
  StartWorker("w1");
  std::filesystem::remove(directory_ + "/model_index.json");
  const job::JobId id = Submit();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kWaiting) << "another node's files may be whole";
  clock_.Advance(Millis(31'000));
  (void)queue_.Recover(10);
  StartWorker("w2");
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kSealing);
  EXPECT_THAT(View(id).reason, HasSubstr("model tiny can't be loaded"));
  std::ofstream(directory_ + "/model_index.json") << "{}";
  const job::JobId next = Submit();
  TakeAndRun();
  EXPECT_EQ(View(next).state, job::State::kDone);
}

TEST_F(JobRunnerTest, AModelMayTakeLongToLoadAsLongAsItsPartsDoNot) {
  fake_.load_time = Millis(200'000);
  StartWorker("w1");
  std::optional<uint64_t> before;
  int moves = 0;
  engine::FakeOptions options = fake_;
  options.sleep = [&](Millis time) {
    // What the renewer and a gateway do meanwhile.
    for (Millis passed{0}; passed < time; passed += Millis(4'000)) {
      clock_.Advance(std::min(Millis(4'000), time - passed));
      lease_->Tick();
      (void)queue_.Recover(10);
    }
    if (const auto activity = lease_->activity(); activity && activity->count != before) {
      before = activity->count;
      ++moves;
    }
  };
  engine_ = engine::MakeFakeEngine(options);
  StartModels();
  StartRunner();
  const job::JobId id = Submit();
  EXPECT_TRUE(TakeAndRun().came_out) << "800 s of loading, with 300 s for each part";
  EXPECT_EQ(View(id).epoch, 1);
  EXPECT_GE(moves, engine::kFakeModelParts);
  EXPECT_EQ(Metric("phasor_lease_stalled_total"), 0);
}

TEST_F(JobRunnerTest, BytesThatAreNoSpecEndTheJob) {
  StartWorker("w1");
  const job::JobId id = SubmitBytes("\xff\xff garbage");
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kSealing);
}

// Fails every write, as a disk does that is all but full.
class FullStore final : public storage::ResultStore {
 public:
  // What is small finds a place all the same.
  Status Put(const std::string&, std::string_view bytes) override {
    return bytes.size() < 10 ? OkStatus() : ResourceExhausted("no space left on the device");
  }
  StatusOr<std::string> Get(const std::string&) override { return NotFound("x"); }
  Status Delete(const std::string&) override { return OkStatus(); }
  StatusOr<storage::ListPage> List(const std::string&, const std::string&, int) override {
    return storage::ListPage();
  }
  StatusOr<storage::TerminalRecord> CreateTerminal(const storage::TerminalRecord&) override {
    return ResourceExhausted("no space left on the device");
  }
  std::vector<StatusOr<storage::TerminalRecord>> ReadTerminals(
      const std::vector<job::JobId>& ids) override {
    return {ids.size(), NotFound("x")};
  }
  StatusOr<std::string> CreateOnce(const std::string&, std::string_view) override {
    return ResourceExhausted("no space left on the device");
  }
};

TEST_F(JobRunnerTest, AFullDiskMeansLaterNotNever) {
  fake_.step_time = Millis(2'000);
  store_ = std::make_unique<FullStore>();
  StartWorker("w1");
  // The renewer's thread in short: a renewal for each step.
  on_progress_ = [this](const v1::JobProgress&) { lease_->Tick(); };
  const job::JobId id = Submit();
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kWaiting);
  EXPECT_THAT(View(id).reason, HasSubstr("no space left"));
  EXPECT_GT(Metric("phasor_checkpoint_failures_total"), 0);
}

}  // namespace
}  // namespace phasor::worker
