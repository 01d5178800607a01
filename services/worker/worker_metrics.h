// What a worker counts and measures, under the names of the project's metrics (prefix phasor_).
// Durations are seconds. Thread-safe; `registry` outlives it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/job/error_class.h"
#include "common/job/types.h"
#include "common/job/verdict.h"
#include "common/metrics/registry.h"
#include "services/worker/closed.h"
#include "services/worker/running_job.h"

namespace phasor::worker {

class WorkerMetrics {
 public:
  // `models`: those that the worker can run.
  explicit WorkerMetrics(metrics::Registry& registry, std::vector<std::string> models = {});

  void JobBegan();
  // The first worker has it `seconds` after its submit.
  void JobWaited(const std::string& model, job::Priority priority, double seconds);
  // The pictures are published `seconds` after the submit.
  void PicturesMade(const std::string& model, job::Priority priority, double seconds, int64_t cost);
  // So many jobs shared the device, phase by phase; 1: one that was alone.
  void GroupEnded(int jobs);
  // `state`: "DONE", "FAILED", "RETRY_PENDING", "RELEASED" or "DROPPED".
  void JobEnded(const std::string& model, const std::string& state, double seconds);
  void Phase(const std::string& model, const std::string& phase, double seconds);
  void Step(const std::string& model, double seconds);
  void ModelLoaded(const std::string& model, double seconds);
  void ModelsResident(int count);

  void Failed(job::ErrorClass error);
  void Retried(const std::string& code);
  // Memory did not suffice: what the next try should do about it and what it may.
  void Relieved(job::Relief due, job::Relief given);
  // `exact`: the checkpoint was taken; otherwise the run began again at step 0.
  void Resumed(bool exact);
  void CheckpointWritten(uint64_t bytes, double seconds);
  void CheckpointFailed();
  void Stalled();
  // The job in hand waits for the store, which is away.
  void WaitsForStore(bool waits);
  // Why no job is taken now; nullopt: they are.
  void SetClosed(std::optional<Closed> closed);
  // A job was lost or given back: counts by reason.
  void Stopped(StopReason reason);

 private:
  const std::vector<std::string> models_;
  metrics::Family<metrics::Counter> jobs_;
  metrics::Family<metrics::Histogram> job_seconds_;
  metrics::Family<metrics::Histogram> wait_seconds_;
  metrics::Family<metrics::Histogram> picture_seconds_;
  metrics::Family<metrics::Counter> cost_;
  metrics::Family<metrics::Histogram> group_jobs_;
  metrics::Family<metrics::Histogram> phase_seconds_;
  metrics::Family<metrics::Histogram> step_seconds_;
  metrics::Family<metrics::Histogram> load_seconds_;
  metrics::Family<metrics::Gauge> resident_;
  metrics::Family<metrics::Gauge> inflight_;
  metrics::Family<metrics::Gauge> closed_;
  metrics::Family<metrics::Gauge> takes_;
  metrics::Family<metrics::Gauge> waits_for_store_;
  metrics::Family<metrics::Counter> failures_;
  metrics::Family<metrics::Counter> retries_;
  metrics::Family<metrics::Counter> reliefs_;
  metrics::Family<metrics::Counter> resumed_;
  metrics::Family<metrics::Histogram> checkpoint_bytes_;
  metrics::Family<metrics::Histogram> checkpoint_seconds_;
  metrics::Family<metrics::Counter> checkpoint_failures_;
  metrics::Family<metrics::Counter> stalled_;
  metrics::Family<metrics::Counter> expired_;
  metrics::Family<metrics::Counter> fenced_;
  // Under the names that other servers have.
  metrics::Family<metrics::Counter> requests_;
  metrics::Family<metrics::Histogram> request_seconds_;
  metrics::Family<metrics::Histogram> load_time_;
  metrics::Family<metrics::Counter> preempted_;
};

}  // namespace phasor::worker
