#include "services/worker/run/checkpoints.h"

#include <algorithm>

#include "common/log/log.h"

namespace phasor::worker {

Checkpoints::Checkpoints(storage::ResultStore& store, const Patience& patience,
                         WorkerMetrics& metrics, engine::CheckpointPace& pace, RunningJob& job,
                         StoreCalls& calls)
    : store_(store), patience_(patience), metrics_(metrics), pace_(pace), job_(job), calls_(calls) {
  pace_.Begin();
}

void Checkpoints::Resume(const queue::Grant& grant, engine::Run& run,
                         const std::function<bool()>& goes_on) {
  if (grant.checkpoint.empty()) return;
  stored_.push_back(grant.checkpoint);
  const StatusOr<std::string> bytes =
      calls_.Ask([&] { return store_.Get(grant.checkpoint); }, goes_on);
  // The run stops before the store has answered: whether the checkpoint can be taken is the next
  // owner's to find out.
  if (bytes.status().code() == StatusCode::kUnavailable) return;
  Status taken = bytes.status();
  if (bytes.ok()) taken = run.Restore(*bytes);
  metrics_.Resumed(taken.ok());
  if (!taken.ok()) {
    log::Warn("checkpoint not taken, starting at step 0",
              {{"job_id", grant.fence.id}, {"checkpoint", grant.checkpoint}, {"status", taken}});
    return;
  }
  newest_ = grant.checkpoint;
  newest_step_ = grant.step;
  log::Info("resumed", {{"job_id", grant.fence.id}, {"step", grant.step}});
}

bool Checkpoints::AfterStep(const engine::Run& run, int step, double seconds) {
  return pace_.Worked(seconds) && Save(run, step);
}

bool Checkpoints::Save(const engine::Run& run, int step) {
  if (step == 0 || (!newest_.empty() && newest_step_ == step)) return false;
  const SteadyTime begin = patience_.clock.Steady();
  const StatusOr<std::string> bytes = run.Snapshot();
  if (!bytes.ok()) return false;  // the run is past the point where it can be saved
  const std::string key = storage::CheckpointKey(job_.fence().id, job_.fence().epoch, step);
  const Status put = calls_.Once([&] { return store_.Put(key, *bytes); });
  const double seconds = SecondsBetween(begin, patience_.clock.Steady());
  pace_.Took(seconds);
  if (!put.ok()) {
    log::Warn("checkpoint not stored", {{"job_id", job_.fence().id}, {"status", put}});
    metrics_.CheckpointFailed();
    return false;
  }
  metrics_.CheckpointWritten(bytes->size(), seconds);
  stored_.push_back(key);
  newest_ = key;
  newest_step_ = step;
  job_.SetCheckpoint(key, step);
  DeleteSuperseded();
  return true;
}

void Checkpoints::DeleteSuperseded() {
  const auto acknowledged =
      std::find(stored_.begin(), stored_.end(), job_.acknowledged_checkpoint());
  if (acknowledged == stored_.end()) return;
  for (auto old = stored_.begin(); old != acknowledged; ++old) (void)store_.Delete(*old);
  stored_.erase(stored_.begin(), acknowledged);
}

void Checkpoints::Discard() {
  const auto keys = storage::ListKeys(store_, "jobs/" + job_.fence().id + "/c");
  if (!keys.ok()) return;  // the sweeper finds them
  for (const std::string& key : *keys) (void)store_.Delete(key);
}

}  // namespace phasor::worker
