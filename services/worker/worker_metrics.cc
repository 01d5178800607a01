#include "services/worker/worker_metrics.h"

#include <algorithm>
#include <utility>

namespace phasor::worker {
namespace {

constexpr size_t kMostModels = 10'000;  // of the folder, which no client chooses
constexpr size_t kFromTheStart = 64;
const metrics::Buckets kByteBuckets = {4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6};
const metrics::Buckets kGroupBuckets = {1, 2, 4, 8, 16, 32, 64};

}  // namespace

WorkerMetrics::WorkerMetrics(metrics::Registry& registry, std::vector<std::string> models)
    : models_(std::move(models)),
      jobs_(registry.Counters("jobs_total", "Jobs that left this worker, by how.",
                              {"model", "state"})),
      job_seconds_(registry.Histograms("job_seconds", "From the grant of a job to its end here.",
                                       metrics::SecondsBuckets(), {"model"})),
      wait_seconds_(registry.Histograms("queue_wait_seconds",
                                        "From a job's submit to the first worker that has it.",
                                        metrics::SecondsBuckets(), {"model", "priority"})),
      picture_seconds_(registry.Histograms(
          "time_to_picture_seconds",
          "From a job's submit to its pictures being published, of jobs that came out.",
          metrics::SecondsBuckets(), {"model", "priority"})),
      cost_(registry.Counters(
          "done_cost_total",
          "Cost of the jobs that came out here, counted as queue_backlog_cost counts it.",
          {"model"})),
      group_jobs_(registry.Histograms(
          "group_jobs", "Jobs that shared the device phase by phase; 1: one that was alone.",
          kGroupBuckets)),
      phase_seconds_(registry.Histograms("phase_seconds", "Time of each phase of a job.",
                                         metrics::SecondsBuckets(), {"model", "phase"})),
      step_seconds_(registry.Histograms("step_seconds", "Time of one denoising step.",
                                        metrics::SecondsBuckets(), {"model"})),
      load_seconds_(registry.Histograms("model_load_seconds", "Time to load a model.",
                                        metrics::SecondsBuckets(), {"model", "source"})),
      resident_(registry.Gauges("models_resident", "Models in memory.")),
      inflight_(registry.Gauges("inflight_jobs", "Jobs that this worker holds.")),
      closed_(
          registry.Gauges("intake_closed",
                          "1 while the worker takes no jobs, by why: ordered, cordoned (several "
                          "in a row failed here and it doubts itself), memory, resting.",
                          {"reason"})),
      takes_(registry.Gauges("takes_jobs", "1 while this worker takes jobs of the model.",
                             {"model"}, kMostModels)),
      waits_for_store_(registry.Gauges(
          "waits_for_store", "1 while the job in hand waits for a store that is away or full.")),
      failures_(registry.Counters("failures_total", "Jobs that failed here, by class of error.",
                                  {"class"})),
      retries_(registry.Counters("retries_total", "Failures that are tried again, by code.",
                                 {"reason"})),
      reliefs_(registry.Counters("reliefs_total",
                                 "Tries to come that shall need less memory: what is due, and "
                                 "what this worker can give of it.",
                                 {"due", "given"})),
      resumed_(registry.Counters("resumed_jobs_total",
                                 "Jobs that came with a checkpoint; exact: it was taken.",
                                 {"exact"})),
      checkpoint_bytes_(
          registry.Histograms("checkpoint_bytes", "Size of a checkpoint.", kByteBuckets)),
      checkpoint_seconds_(registry.Histograms(
          "checkpoint_seconds", "Time to take and store a checkpoint.", metrics::SecondsBuckets())),
      checkpoint_failures_(
          registry.Counters("checkpoint_failures_total", "Checkpoints that could not be stored.")),
      stalled_(registry.Counters("lease_stalled_total",
                                 "Renewals refused because no unit of work had ended.")),
      expired_(registry.Counters("lease_expired_total",
                                 "Jobs stopped because the lease could not be kept.")),
      fenced_(registry.Counters("fenced_total", "Jobs stopped because another owner has them.")),
      requests_(registry.Counters("inference_request_count",
                                  "jobs_total by model alone: the name that other servers have.",
                                  {"model"})),
      request_seconds_(registry.Histograms("inference_request_duration_seconds",
                                           "job_seconds under the name that other servers have.",
                                           metrics::SecondsBuckets(), {"model"})),
      load_time_(registry.Histograms("model_load_time_seconds",
                                     "model_load_seconds under the name that other servers have.",
                                     metrics::SecondsBuckets(), {"model"})),
      preempted_(registry.Counters("preemptions_total", "Jobs given back on request.")) {
  // Alerts need the zero before the first event.
  for (auto* family : {&checkpoint_failures_, &stalled_, &expired_, &fenced_, &preempted_}) {
    family->With({});
  }
  SetClosed(std::nullopt);
  for (const std::string& model : models_) takes_.With({model}).Set(0);  // it has to start first
  // A counter that is born at 1 has no rate. A worker of very many models begins with the first.
  for (size_t i = 0; i < std::min(models_.size(), kFromTheStart); ++i) {
    for (const std::string state : {"DONE", "FAILED"}) jobs_.With({models_[i], state});
    cost_.With({models_[i]});
  }
  for (const job::ErrorClass error : job::kErrorClasses) {
    failures_.With({std::string(job::ToString(error))});
  }
  inflight_->Set(0);
  waits_for_store_->Set(0);
  resident_->Set(0);
}

void WorkerMetrics::JobBegan() { inflight_->Increment(); }

void WorkerMetrics::JobWaited(const std::string& model, job::Priority priority, double seconds) {
  wait_seconds_.With({model, std::string(job::ToString(priority))}).Observe(seconds);
}

void WorkerMetrics::PicturesMade(const std::string& model, job::Priority priority, double seconds,
                                 int64_t cost) {
  picture_seconds_.With({model, std::string(job::ToString(priority))}).Observe(seconds);
  cost_.With({model}).Increment(static_cast<double>(cost));
}

void WorkerMetrics::GroupEnded(int jobs) { group_jobs_.With({}).Observe(jobs); }

void WorkerMetrics::JobEnded(const std::string& model, const std::string& state, double seconds) {
  inflight_->Decrement();
  jobs_.With({model, state}).Increment();
  job_seconds_.With({model}).Observe(seconds);
  requests_.With({model}).Increment();
  request_seconds_.With({model}).Observe(seconds);
}

void WorkerMetrics::Phase(const std::string& model, const std::string& phase, double seconds) {
  phase_seconds_.With({model, phase}).Observe(seconds);
}

void WorkerMetrics::Step(const std::string& model, double seconds) {
  step_seconds_.With({model}).Observe(seconds);
}

void WorkerMetrics::ModelLoaded(const std::string& model, double seconds) {
  load_seconds_.With({model, "directory"}).Observe(seconds);
  load_time_.With({model}).Observe(seconds);
}

void WorkerMetrics::ModelsResident(int count) { resident_->Set(count); }

void WorkerMetrics::Failed(job::ErrorClass error) {
  failures_.With({std::string(job::ToString(error))}).Increment();
}

void WorkerMetrics::SetClosed(std::optional<Closed> closed) {
  for (const Closed reason : kClosedReasons) {
    closed_.With({std::string(ToString(reason))}).Set(reason == closed ? 1 : 0);
  }
  for (const std::string& model : models_) takes_.With({model}).Set(closed ? 0 : 1);
}

void WorkerMetrics::Relieved(job::Relief due, job::Relief given) {
  reliefs_.With({std::string(job::ToString(due)), std::string(job::ToString(given))}).Increment();
}

void WorkerMetrics::Retried(const std::string& code) { retries_.With({code}).Increment(); }

void WorkerMetrics::Resumed(bool exact) { resumed_.With({exact ? "true" : "false"}).Increment(); }

void WorkerMetrics::CheckpointWritten(uint64_t bytes, double seconds) {
  checkpoint_bytes_->Observe(static_cast<double>(bytes));
  checkpoint_seconds_->Observe(seconds);
}

void WorkerMetrics::CheckpointFailed() { checkpoint_failures_->Increment(); }

void WorkerMetrics::WaitsForStore(bool waits) { waits_for_store_->Set(waits ? 1 : 0); }

void WorkerMetrics::Stalled() { stalled_->Increment(); }

void WorkerMetrics::Stopped(StopReason reason) {
  switch (reason) {
    case StopReason::kLeaseLost:
      expired_->Increment();
      break;
    case StopReason::kFenced:
      fenced_->Increment();
      break;
    case StopReason::kPreempted:
      preempted_->Increment();
      break;
    case StopReason::kNone:
    case StopReason::kDrained:
    case StopReason::kCanceled:
      break;
  }
}

}  // namespace phasor::worker
