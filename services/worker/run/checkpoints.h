// The checkpoints of one job: taken between units as often as they are cheap, put into the result
// store under a name of this ownership, told to the queue by the lease renewer.
//
// A checkpoint that fails costs a log line and a metric, never the job. One thread, the executor;
// one object per job, references outlive it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/queue/types.h"
#include "common/storage/result_store.h"
#include "engine/api/engine.h"
#include "engine/checkpoint/checkpoint_pace.h"
#include "services/worker/patience.h"
#include "services/worker/run/store_calls.h"
#include "services/worker/running_job.h"
#include "services/worker/worker_metrics.h"

namespace phasor::worker {

class Checkpoints {
 public:
  Checkpoints(storage::ResultStore& store, const Patience& patience, WorkerMetrics& metrics,
              engine::CheckpointPace& pace, RunningJob& job, StoreCalls& calls);

  // Takes the grant's checkpoint into a fresh run, if it has one that can be taken. A store that
  // is away is waited for while `goes_on` says so: the steps would be done again otherwise.
  void Resume(const queue::Grant& grant, engine::Run& run, const std::function<bool()>& goes_on);

  // After a step that took `seconds`: saves when it is time. True: there is a new one.
  bool AfterStep(const engine::Run& run, int step, double seconds);

  // Saves now, unless this very step was saved or the run can't be saved at this point.
  bool Save(const engine::Run& run, int step);

  // Deletes every checkpoint of the job, whoever wrote it; for after the job's end.
  void Discard();

  // The newest one, empty: none.
  const std::string& newest() const { return newest_; }
  int newest_step() const { return newest_step_; }

 private:
  void DeleteSuperseded();

  storage::ResultStore& store_;
  const Patience& patience_;
  WorkerMetrics& metrics_;
  engine::CheckpointPace& pace_;
  RunningJob& job_;
  StoreCalls& calls_;
  std::vector<std::string> stored_;  // oldest first, the grant's own included
  std::string newest_;
  int newest_step_ = 0;
};

}  // namespace phasor::worker
