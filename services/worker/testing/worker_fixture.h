// What the worker's tests share: a queue, a store and a fake engine in memory, under a clock that
// moves when told, and a model directory that the fake engine can load.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "common/queue/memory/memory_queue.h"
#include "common/rpc/spec_convert.h"
#include "common/storage/memory_store.h"
#include "engine/fake/fake_engine.h"
#include "gtest/gtest.h"
#include "services/worker/run/job_runner.h"
#include "services/worker/take/taker.h"
#include "services/worker/testing/lossy_line.h"

namespace phasor::worker {

class WorkerFixture : public ::testing::Test {
 protected:
  WorkerFixture() {
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/model_index.json") << "{}";
    config::ModelCard card;
    card.name = "tiny";
    card.directory = directory_;
    cards_.push_back(card);
  }

  // A worker of the given name, made anew as after a crash.
  void StartWorker(const std::string& name) {
    name_ = name;
    engine::FakeOptions options = fake_;
    options.sleep = [this](Millis time) { clock_.Advance(time); };
    engine_ = engine::MakeFakeEngine(options);
    StartModels();
    lease_ = std::make_unique<LeaseRenewer>(line_, clock_, LeaseConfig{}, metrics_);
    StartRunner();
  }

  // On the engine that there is.
  void StartModels() {
    models_ =
        std::make_unique<ModelCache>(*engine_, cards_, limits_, clock_, metrics_, memory_metrics_);
    memory_ = std::make_unique<MemoryWatch>(
        MemoryWatch::Parts{*engine_, *models_, cards_, memory_metrics_, status_});
    results_ = std::make_unique<ResultCache>(result_cache_, memory_metrics_);
    memory_->AddCache([this] { results_->Clear(); });
  }

  void StartRunner() {
    runner_ = std::make_unique<JobRunner>(
        RunnerParts{.queue = queue_,
                    .store = *store_,
                    .engine = *engine_,
                    .models = *models_,
                    .memory = *memory_,
                    .results = *results_,
                    .lease = *lease_,
                    .progress =
                        [this](const v1::JobProgress& progress) {
                          progress_.push_back(progress);
                          if (on_progress_) on_progress_(progress);
                        },
                    .patience = patience_,
                    .metrics = metrics_,
                    .on_device_lost = [this] { ++devices_lost_; }},
        RunnerConfig{.worker = name_, .checkpoint_share = checkpoint_share_, .debug = debug_});
  }

  job::GenerateSpec Spec(int steps = 8, int images = 1) const {
    job::GenerateSpec spec;
    spec.model = model_;
    spec.picture.prompt = prompt_;
    spec.picture.width = spec.picture.height = 64;
    spec.picture.steps = steps;
    spec.picture.images = images;
    spec.picture.guidance_scale = 4;
    spec.picture.seed = 7;
    spec.picture.scheduler = "ddim";
    spec.preview_every = preview_every_;
    return spec;
  }

  // Submits a job of `steps` steps and gives its id.
  job::JobId Submit(int steps = 8, int images = 1) {
    return SubmitBytes(rpc::EncodeJobSpec({.spec = Spec(steps, images), .trace_parent = ""}));
  }

  job::JobId SubmitBytes(const std::string& bytes) {
    const job::JobId id = job::MakeJobId("secret", "tenant", std::to_string(++submitted_));
    queue::SubmitRequest request;
    request.id = id;
    request.model = model_;
    request.tenant = "tenant";
    request.priority = priority_;
    request.fingerprint = id;
    request.spec = bytes;
    EXPECT_TRUE(queue_.Submit(request).ok());
    return id;
  }

  // Takes a job, as the worker that was started.
  Taker::Taken Take() {
    Taker taker(queue_, patience_, {.worker = name_, .node = name_});
    const auto taken = taker.Take({"tiny"});
    EXPECT_TRUE(taken.ok() && taken->has_value());
    return **taken;
  }

  JobEnd TakeAndRun() {
    const Taker::Taken taken = Take();
    const JobEnd end = runner_->Run(taken.grant, taken.sent);
    if (end.completion) {
      EXPECT_TRUE(queue_.Complete(end.completion->fence, end.completion->result).ok());
    }
    return end;
  }

  // Runs the job to `step`, then leaves it as a worker that was killed: lease over, job recovered.
  void CrashAt(int step) {
    on_progress_ = [this, step](const v1::JobProgress& progress) {
      if (progress.state() == v1::DIFFUSION_RUNNING && progress.step() == step) {
        // The queue hears of the checkpoint, then nothing any more.
        lease_->RenewSoon();
        lease_->Tick();
        line_.cut = true;
        lease_->AskToStop(StopReason::kLeaseLost);
      }
    };
    TakeAndRun();
    on_progress_ = nullptr;
    line_.cut = false;
    clock_.Advance(Millis(60'000));
    ASSERT_EQ(*queue_.Recover(10), 1);
  }

  queue::JobView View(const job::JobId& id) { return *queue_.Get(id, {}); }
  storage::TerminalRecord Record(const job::JobId& id) { return *store_->ReadTerminal(id); }
  std::string Png(const job::JobId& id, int image = 0) {
    return *store_->Get(Record(id).images.at(image).blob);
  }
  std::vector<std::string> Keys(const std::string& prefix) {
    return *storage::ListKeys(*store_, prefix);
  }
  double Metric(const std::string& line) const {
    const std::string text = registry_.Text();
    const size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size() + 2));
  }

  const std::string directory_ = ::testing::TempDir() + "/worker_test_model";
  FakeClock clock_;
  const Patience patience_{clock_, [this](Millis pause) { clock_.Advance(pause); },
                           [] { return 0.0; }};
  queue::MemoryQueue queue_{clock_};
  LossyLine line_{queue_};  // between the lease renewer and the queue
  std::unique_ptr<storage::ResultStore> store_ = std::make_unique<storage::MemoryStore>();
  metrics::Registry registry_;
  WorkerMetrics metrics_{registry_, {"tiny"}};
  MemoryMetrics memory_metrics_{registry_};
  WorkerStatus status_{{.name = "w", .node = "n", .device = "fake"}, clock_};
  ModelCacheLimits limits_;
  uint64_t result_cache_ = 0;
  DebugRecords::Config debug_;
  std::vector<config::ModelCard> cards_;
  engine::FakeOptions fake_;
  double checkpoint_share_ = 0.01;
  int preview_every_ = 0;
  std::string prompt_ = "a red circle";
  std::string model_ = "tiny";
  job::Priority priority_ = job::Priority::kNormal;
  std::vector<v1::JobProgress> progress_;
  std::function<void(const v1::JobProgress&)> on_progress_;
  int devices_lost_ = 0;

  std::string name_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ModelCache> models_;
  std::unique_ptr<MemoryWatch> memory_;
  std::unique_ptr<ResultCache> results_;
  std::unique_ptr<LeaseRenewer> lease_;
  std::unique_ptr<JobRunner> runner_;
  int submitted_ = 0;
};

}  // namespace phasor::worker
