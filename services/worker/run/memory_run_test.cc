// Jobs of a worker whose device's memory is played by the fake engine: what they report, and what
// makes way for them.
#include "gmock/gmock.h"
#include "services/worker/testing/worker_fixture.h"

#include "common/rpc/result_convert.h"

namespace phasor::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kPixels = 64 * 64;

class MemoryRunTest : public WorkerFixture {
 protected:
  MemoryRunTest() {
    // The model with a picture of 64x64 fits, and 1000 bytes more.
    fake_.memory = {.capacity = 10'000 + kPixels + 1'000, .model_bytes = 10'000, .pixel_bytes = 1};
    for (const char* name : {"second", "third"}) {
      config::ModelCard card = cards_.front();
      card.name = name;
      cards_.push_back(card);
    }
    limits_.models = 3;
  }

  v1::Result ResultOfJob(const job::GenerateSpec& spec) {
    const job::JobId id = SubmitBytes(rpc::EncodeJobSpec({.spec = spec, .trace_parent = ""}));
    TakeAndRun();
    EXPECT_EQ(View(id).state, job::State::kDone);
    return rpc::ResultOf(Record(id));
  }
};

TEST_F(MemoryRunTest, AResultSaysWhatItTookAndHow) {
  StartWorker("w1");
  const v1::Result result = ResultOfJob(Spec());
  EXPECT_EQ(result.strategy(), v1::FP16_FULL);
  EXPECT_EQ(result.device(), "fake");
  EXPECT_EQ(result.peak_memory_bytes(), 10'000 + kPixels);
  EXPECT_EQ(result.predicted_peak_bytes(), result.peak_memory_bytes());
  EXPECT_THAT(result.degradations(), IsEmpty());
  EXPECT_EQ(Metric("phasor_actual_peak_bytes{model=\"tiny\",phase=\"decode\"}"), 10'000 + kPixels);
  EXPECT_EQ(Metric("phasor_vram_bytes{kind=\"total\"}"), 15'096);
  EXPECT_EQ(Metric("phasor_vram_bytes{kind=\"weights\"}"), 10'000);
}

TEST_F(MemoryRunTest, AStrategyIsTheRequests) {
  StartWorker("w1");
  job::GenerateSpec spec = Spec();
  spec.strategy = "SEQUENTIAL_OFFLOAD";
  EXPECT_EQ(ResultOfJob(spec).strategy(), v1::SEQUENTIAL_OFFLOAD);
  spec.strategy = "NF4_QUANTIZED";
  const job::JobId id = SubmitBytes(rpc::EncodeJobSpec({.spec = spec, .trace_parent = ""}));
  TakeAndRun();
  EXPECT_EQ(View(id).state, job::State::kSealing) << "no other worker of this kind can do it";
  EXPECT_THAT(View(id).reason, HasSubstr("strategy: must be one of"));
}

TEST_F(MemoryRunTest, ADegradationIsToldInResultMetricsAndStatistics) {
  StartWorker("w1");
  job::GenerateSpec spec = Spec();
  spec.strategy = "FP16_FULL";
  spec.picture.width = 64 * 2;
  const v1::Result result = ResultOfJob(spec);
  EXPECT_EQ(result.strategy(), v1::SEQUENTIAL_OFFLOAD);
  ASSERT_EQ(result.degradations_size(), 1);
  EXPECT_EQ(result.degradations(0).phase(), "encode");
  EXPECT_EQ(result.degradations(0).action(), "SEQUENTIAL_OFFLOAD");
  EXPECT_EQ(Metric("phasor_oom_events_total{action=\"SEQUENTIAL_OFFLOAD\",phase=\"encode\"}"), 1);
}

TEST_F(MemoryRunTest, IdleModelsMakeWayForARunAndStayInMemory) {
  StartWorker("w1");
  ResultOfJob(Spec());
  EXPECT_FALSE(models_->Find("tiny")->OnDevice().empty());
  const auto second = *models_->Get("second");
  memory_->BeforeRun("second", *second, Spec().picture, "");
  EXPECT_TRUE(models_->Find("tiny")->OnDevice().empty());
  EXPECT_THAT(models_->Resident(), ElementsAre("second", "tiny"));
  EXPECT_EQ(Metric("phasor_model_swaps_total{model=\"tiny\"}"), 1);
}

TEST_F(MemoryRunTest, APinnedModelMakesNoWay) {
  StartWorker("w1");
  models_->Pin("tiny");
  ResultOfJob(Spec());
  const auto second = *models_->Get("second");
  memory_->BeforeRun("second", *second, Spec().picture, "");
  EXPECT_FALSE(models_->Find("tiny")->OnDevice().empty());
  EXPECT_EQ(memory_->MakeRoom("second"), "");
  models_->Unload("tiny");
  EXPECT_THAT(models_->Resident(), ElementsAre("second"));
}

TEST_F(MemoryRunTest, ModelsInMemoryAreBoundedInBytesToo) {
  limits_.bytes = 20'000;
  StartWorker("w1");
  for (const char* name : {"tiny", "second", "third"}) ASSERT_TRUE(models_->Get(name).ok());
  EXPECT_THAT(models_->Resident(), ElementsAre("third", "second"));
  limits_.bytes = 5'000;
  StartWorker("w1");
  for (const char* name : {"tiny", "second"}) ASSERT_TRUE(models_->Get(name).ok());
  EXPECT_THAT(models_->Resident(), ElementsAre("second")) << "one may be larger";
  models_->Pin("second");
  ASSERT_TRUE(models_->Get("third").ok());
  EXPECT_THAT(models_->Resident(), ElementsAre("third", "second")) << "beside a pinned one, too";
}

TEST_F(MemoryRunTest, ALoadMayAskForTheDeviceAlone) {
  fake_.memory.capacity = 1 << 20;
  limits_.load_alone = true;
  StartWorker("w1");
  ResultOfJob(Spec());
  ASSERT_TRUE(models_->Get("second").ok());
  EXPECT_TRUE(models_->Find("tiny")->OnDevice().empty());
}

TEST_F(MemoryRunTest, WhatIsFreeOnlyInPiecesCountsAsUsedAndIsTold) {
  fake_.memory.capacity = 1 << 20;
  fake_.memory.fragmented = 700 << 10;
  StartWorker("w1");
  ResultOfJob(Spec());
  const v1::WorkerStats stats = status_.Stats();
  EXPECT_EQ(stats.memory_state(), "MODERATE") << "68 % and a model";
  EXPECT_EQ(stats.memory_fragmented_bytes(), 700 << 10);
  EXPECT_EQ(stats.memory_reserved_bytes(), stats.memory_used_bytes() + (700 << 10));
  EXPECT_EQ(Metric("phasor_vram_bytes{kind=\"fragmented\"}"), 700 << 10);
  EXPECT_EQ(Metric("phasor_vram_bytes{kind=\"reserved\"}"), stats.memory_reserved_bytes());
  const auto plan = (*models_->Get("tiny"))->Plan(Spec().picture);
  EXPECT_EQ(plan->budget.reserved, uint64_t{700} << 10) << "no plan counts on it";
}

TEST_F(MemoryRunTest, HighPressureTakesIdleModelsOffTheDevice) {
  fake_.memory.capacity = 24'500;  // two models are 82 %
  StartWorker("w1");
  ResultOfJob(Spec());
  const auto second = *models_->Get("second");
  auto run = *second->Start(Spec().picture, {.strategy = "FP16_FULL"});
  ASSERT_TRUE(run->Advance().ok()) << "both fit for now";
  size_t told = 0;
  memory_->AfterUnit("second", *run, &told);
  EXPECT_TRUE(models_->Find("tiny")->OnDevice().empty());
  EXPECT_EQ(status_.Stats().memory_state(), "LOW");
}

TEST_F(MemoryRunTest, CriticalPressureMakesTheNextUnitLeaner) {
  fake_.memory = {.capacity = 10'400, .model_bytes = 10'000, .pixel_bytes = 0};
  StartWorker("w1");
  const v1::Result result = ResultOfJob(Spec());
  EXPECT_EQ(result.strategy(), v1::SEQUENTIAL_OFFLOAD);
  ASSERT_EQ(result.degradations_size(), 1);
  EXPECT_THAT(result.degradations(0).reason(), HasSubstr("the device's memory is tight"));
  EXPECT_EQ(result.degradations(0).phase(), "denoise");
}

TEST_F(MemoryRunTest, StatisticsTellWhatJobsTake) {
  StartWorker("w1");
  ASSERT_TRUE(models_->Get("tiny").ok());
  memory_->Look();
  const v1::WorkerStats stats = status_.Stats();
  EXPECT_EQ(stats.memory_bound_bytes(), 15'096);
  EXPECT_EQ(stats.memory_total_bytes(), 15'096);
  EXPECT_THAT(stats.strategies(), ElementsAre(v1::FP16_FULL, v1::SEQUENTIAL_OFFLOAD));
  ASSERT_EQ(stats.needs_size(), 1);
  const v1::ModelNeed& need = stats.needs(0);
  ASSERT_GT(need.at_size(), 2);
  for (const v1::NeedAt& at : need.at()) EXPECT_EQ(at.bytes(), at.pixels()) << "the leanest";
  const int most = cards_.front().limits.max_size;
  EXPECT_EQ(need.at(need.at_size() - 1).pixels(), int64_t{most} * most);
}

TEST_F(MemoryRunTest, AnEqualRequestIsNotDrawnAgain) {
  result_cache_ = 1 << 20;
  StartWorker("w1");
  EXPECT_FALSE(ResultOfJob(Spec()).from_cache());
  const double steps = Metric("phasor_step_seconds_count{model=\"tiny\"}");
  const job::JobId again = Submit();
  TakeAndRun();
  EXPECT_TRUE(rpc::ResultOf(Record(again)).from_cache());
  EXPECT_EQ(Metric("phasor_step_seconds_count{model=\"tiny\"}"), steps);
  EXPECT_EQ(Metric("phasor_cache_hits_total{cache=\"result\"}"), 1);
  job::GenerateSpec other = Spec();
  other.picture.seed = 8;
  EXPECT_FALSE(ResultOfJob(other).from_cache());
  memory_->Cleanup();
}

TEST_F(MemoryRunTest, ASmallerPictureIsTheLastTrysLastResortAndIsTold) {
  fake_.memory = {.capacity = 128 * 128 - 1, .model_bytes = 0, .pixel_bytes = 1};
  StartWorker("w1");
  job::GenerateSpec spec = Spec();
  spec.picture.width = spec.picture.height = 128;
  spec.allow_degradation = true;
  const job::JobId id = SubmitBytes(rpc::EncodeJobSpec({.spec = spec, .trace_parent = ""}));
  for (int run = 1; run <= 4; ++run) {
    EXPECT_NE(View(id).state, job::State::kDone) << run;
    TakeAndRun();
    clock_.Advance(Millis(31'000));
    (void)queue_.Recover(10);
  }
  ASSERT_EQ(View(id).state, job::State::kDone);
  const v1::Result result = rpc::ResultOf(Record(id));
  EXPECT_EQ(result.images(0).width(), 96);
  EXPECT_EQ(result.images(0).height(), 96);
  const v1::Degradation& last = result.degradations(result.degradations_size() - 1);
  EXPECT_EQ(last.action(), "resolution 96x96");
}

TEST_F(MemoryRunTest, AFailedJobLeavesARecordWithoutItsPrompt) {
  debug_.directory = ::testing::TempDir() + "/debug_records";
  debug_.most = 2;
  std::filesystem::remove_all(debug_.directory);
  StartWorker("w1");
  prompt_ = "a secret fault:internal@step2";
  Submit();
  std::string text;
  for (int run = 1; run <= 4; ++run) {
    TakeAndRun();
    clock_.Advance(Millis(31'000));
    (void)queue_.Recover(10);
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(debug_.directory)) {
    files.push_back(entry.path());
  }
  ASSERT_EQ(files.size(), 2u) << "bounded";
  std::stringstream all;
  all << std::ifstream(files.front()).rdbuf();
  EXPECT_THAT(all.str(), HasSubstr("\"class\": \"internal\""));
  EXPECT_THAT(all.str(), HasSubstr("\"seed\": 7"));
  EXPECT_THAT(all.str(), HasSubstr("\"phase\": \"encode\""));
  EXPECT_THAT(all.str(), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace phasor::worker
