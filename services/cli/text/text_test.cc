#include <sstream>

#include "common/rpc/status_details.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/exit_code.h"
#include "services/cli/text/job_text.h"
#include "services/cli/text/progress_view.h"

namespace phasor::cli {
namespace {

using ::testing::HasSubstr;

TEST(ExitCodeTest, EveryErrorHasItsNumber) {
  EXPECT_EQ(ExitCodeOf(OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(Internal("x")), 1);
  EXPECT_EQ(ExitCodeOf(DataLoss("x")), 1);
  EXPECT_EQ(ExitCodeOf(InvalidArgument("x")), 2);
  EXPECT_EQ(ExitCodeOf(AlreadyExists("x")), 2);
  EXPECT_EQ(ExitCodeOf(Unavailable("x")), 3);
  EXPECT_EQ(ExitCodeOf(NotFound("x")), 4);
  EXPECT_EQ(ExitCodeOf(Cancelled("x")), 5);
  EXPECT_EQ(ExitCodeOf(ResourceExhausted("x")), 6);
}

TEST(ExitCodeTest, AnEndedJobHasOneToo) {
  const auto code = [](v1::JobState state) {
    v1::Job job;
    job.set_state(state);
    return ExitCodeOf(job);
  };
  EXPECT_EQ(code(v1::DONE), 0);
  EXPECT_EQ(code(v1::FAILED), 1);
  EXPECT_EQ(code(v1::EXPIRED), 1);
  EXPECT_EQ(code(v1::CANCELED), 5);
}

TEST(ErrorTextTest, NamesEachWrongField) {
  const Status status =
      rpc::InvalidFields({{"width", "must be a multiple of 8, got 7"}, {"steps", "too many"}});
  const std::string text = ErrorText(status, "a:1");
  EXPECT_THAT(text, HasSubstr("width: must be a multiple of 8, got 7"));
  EXPECT_THAT(text, HasSubstr("steps: too many"));
}

TEST(ErrorTextTest, SaysWhatToDoWhenNobodyAnswersOrTheQueueIsFull) {
  EXPECT_THAT(ErrorText(Unavailable("refused"), "a:1"), HasSubstr("'phasor up' starts one"));
  EXPECT_THAT(ErrorText(Unavailable("refused"), "a:1"), HasSubstr("a:1"));
  EXPECT_THAT(ErrorText(Unimplemented(""), "a:1"), HasSubstr("a:1 does not serve this call"));
  EXPECT_THAT(
      ErrorText(rpc::WithRetryAfter(ResourceExhausted("the queue is full"), Millis(1500)), ""),
      HasSubstr("try again in 1.5 s"));
}

TEST(StatsTextTest, SaysThatJobsMayBeLost) {
  v1::StatsResponse stats;
  EXPECT_THAT(StatsText(stats), testing::Not(HasSubstr("lost")));
  stats.set_job_loss("this Redis evicts keys");
  EXPECT_THAT(StatsText(stats), HasSubstr("WARNING jobs may be lost: this Redis evicts keys\n"));
}

v1::WatchEvent ProgressOf(v1::JobState state, int step) {
  v1::WatchEvent event;
  event.mutable_progress()->set_state(state);
  event.mutable_progress()->set_step(step);
  event.mutable_progress()->set_steps(20);
  event.mutable_progress()->set_seconds_left(1.25);
  return event;
}

TEST(ProgressViewTest, ShowsPhaseStepAndTimeLeft) {
  EXPECT_EQ(ProgressLine(ProgressOf(v1::DIFFUSION_RUNNING, 10).progress()),
            "denoising [##########----------] 10/20, 1.2 s left");
}

TEST(ProgressViewTest, WritesALineForEachChangeOfStateWhereThereIsNoTerminal) {
  std::ostringstream out;
  ProgressView view(out, ProgressView::Style::kLines);
  view.Show(ProgressOf(v1::DIFFUSION_RUNNING, 1));
  view.Show(ProgressOf(v1::DIFFUSION_RUNNING, 2));
  view.Show(ProgressOf(v1::DECODING, 20));
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(ProgressViewTest, LeavesACleanLineOnATerminal) {
  std::ostringstream out;
  {
    ProgressView view(out, ProgressView::Style::kBar);
    view.Show(ProgressOf(v1::DIFFUSION_RUNNING, 1));
  }
  EXPECT_TRUE(out.str().ends_with(" \r"));
}

TEST(ProgressViewTest, IsSilentWhenQuiet) {
  std::ostringstream out;
  ProgressView(out, ProgressView::Style::kNone).Show(ProgressOf(v1::DECODING, 1));
  EXPECT_EQ(out.str(), "");
}

TEST(JobTextTest, ShowsWhatTheUserShouldKnow) {
  v1::Job job;
  job.set_state(v1::DONE);
  job.mutable_result()->add_warnings(
      "prompt: has 93 tokens, of which the model reads the first 75");
  EXPECT_THAT(JobText(job), HasSubstr("note      prompt: has 93 tokens"));
}

TEST(JobTextTest, SaysWhatThePictureTookAndWhatWasMadeCheaper) {
  v1::Job job;
  job.set_state(v1::DONE);
  v1::Result* result = job.mutable_result();
  result->set_device("sim");
  result->set_strategy(v1::CPU_OFFLOAD);
  result->set_peak_memory_bytes(3 << 20);
  result->set_predicted_peak_bytes(4 << 20);
  v1::Degradation* one = result->add_degradations();
  one->set_phase("denoise");
  one->set_unit(3);
  one->set_action("CPU_OFFLOAD");
  EXPECT_THAT(JobText(job),
              HasSubstr("memory    3MiB at most on sim (4MiB expected), CPU_OFFLOAD"));
  EXPECT_THAT(JobText(job),
              HasSubstr("note      memory did not suffice in denoise, unit 3: went on with "
                        "CPU_OFFLOAD\n"));
  one->set_action("resolution 96x96");
  EXPECT_THAT(DegradationText(*one), HasSubstr("drawn smaller, resolution 96x96"));
  one->set_action("idle_models");
  EXPECT_THAT(DegradationText(*one), HasSubstr("idle models made way"));
}

TEST(ModelTextTest, SaysWhichWeightsWorkersHoldAndWarnsWhereTheyDiffer) {
  v1::Model model;
  model.set_name("demo");
  EXPECT_THAT(ModelText(model), testing::Not(HasSubstr("weights")));
  v1::WeightsHeld* held = model.add_weights();
  held->set_digest(std::string(64, 'a'));
  held->add_workers("w1");
  held->add_workers("w2");
  EXPECT_THAT(ModelText(model), HasSubstr("  weights     aaaaaaaaaaaa on w1, w2\n"));
  EXPECT_THAT(ModelText(model), testing::Not(HasSubstr("WARNING")));
  *model.add_weights() = *held;
  EXPECT_THAT(ModelText(model), HasSubstr("WARNING     these workers draw different pictures"));
}

TEST(StatsTextTest, ShowsAWorkersMemoryByKindAndComponent) {
  v1::WorkerStats worker;
  worker.set_name("w1");
  EXPECT_THAT(WorkerText(worker), testing::Not(HasSubstr("memory")));
  worker.set_memory_state("HIGH");
  worker.set_memory_bound_bytes(8 << 20);
  worker.set_memory_used_bytes(7 << 20);
  worker.set_strategy(v1::AUTO);
  v1::MemoryShare* share = worker.add_memory();
  share->set_kind("weights");
  share->set_bytes(7 << 20);
  v1::ModelMemory* model = worker.add_models();
  model->set_model("demo");
  model->set_pinned(true);
  EXPECT_THAT(WorkerText(worker), HasSubstr("  memory  HIGH, 7MiB of 8MiB, weights 7MiB, AUTO\n"));
  EXPECT_THAT(WorkerText(worker),
              HasSubstr("  holds   demo (pinned): nothing of it on the device"));
  *model->add_parts() = *share;
  EXPECT_THAT(WorkerText(worker), HasSubstr("demo (pinned): weights 7MiB\n"));
  worker.set_memory_reserved_bytes(8 << 20);
  worker.set_memory_fragmented_bytes(1 << 20);
  EXPECT_THAT(WorkerText(worker), HasSubstr("weights 7MiB, 1MiB of 8MiB reserved in pieces, AUTO"));
}

TEST(StatsTextTest, ShowsAWorkersCardAsFarAsItIsKnown) {
  v1::WorkerStats worker;
  worker.set_name("w1");
  EXPECT_THAT(WorkerText(worker), testing::Not(HasSubstr("card")));
  v1::Gpu* gpu = worker.mutable_gpu();
  gpu->set_name("NVIDIA L4");
  gpu->set_compute_capability("8.9");
  gpu->set_memory_total_bytes(int64_t{24} << 30);
  EXPECT_THAT(WorkerText(worker), HasSubstr("  card    NVIDIA L4, capability 8.9, 24GiB\n"));
  gpu->set_driver("580.65.06");
  gpu->set_memory_used_bytes(int64_t{4} << 30);
  gpu->set_utilization_percent(0);
  gpu->set_temperature_celsius(64);
  gpu->set_power_watts(72.4);
  gpu->set_uncorrected_ecc_errors(0);
  EXPECT_THAT(
      WorkerText(worker),
      HasSubstr("  card    NVIDIA L4, capability 8.9, driver 580.65.06, 4GiB of 24GiB used, "
                "0 % busy, 64 degrees, 72 W, 0 uncorrected ECC errors\n"));
  gpu->set_xid_errors(2);
  gpu->set_last_xid(31);
  gpu->set_mig(true);
  EXPECT_THAT(WorkerText(worker), HasSubstr(", 2 Xid errors, the last 31, in parts (MIG)\n"));
  v1::StatsResponse stats;
  *stats.add_workers() = worker;
  EXPECT_THAT(Json(stats), HasSubstr("\"utilization_percent\":0"));
}

TEST(JobTextTest, JsonNamesFilesAndFields) {
  v1::Job job;
  job.set_id("abc");
  job.set_queue_position(-1);
  EXPECT_THAT(JobJson(job, {"a.png"}), HasSubstr("\"files\":[\"a.png\"]"));
  EXPECT_THAT(JobJson(job, {}), HasSubstr("\"queue_position\":\"-1\""));
}

}  // namespace
}  // namespace phasor::cli
