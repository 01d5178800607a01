// What the worker is doing, for its report streams and its readiness. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "phasor/v1/admin.pb.h"
#include "services/worker/closed.h"

namespace phasor::worker {

struct WorkerIdentity {
  std::string name;    // unique among running workers
  std::string node;    // machine or slot
  std::string device;  // that it computes on: "cpu", "sim", "cuda:0"
};

class WorkerStatus {
 public:
  WorkerStatus(WorkerIdentity identity, const Clock& clock);

  const WorkerIdentity& identity() const { return identity_; }

  void Ready();
  void Draining();
  // Why no job is taken now; nullopt: they are.
  void SetClosed(std::optional<Closed> closed);
  // What became of the last takes; an error: no job can be had.
  void SetQueue(Status status);
  // Whether the worker's card is fit for work.
  void SetCard(Status status);
  // What is known of it.
  void SetGpu(v1::Gpu gpu);
  void Busy(const std::string& job_id);
  void Idle();
  void Resident(std::vector<std::string> models);
  // Of the statistics all that is about memory.
  void SetMemory(v1::WorkerStats memory);

  // OK while jobs are taken; else why not.
  Status Readiness() const;
  v1::WorkerStats Stats() const;

 private:
  // "starting", "idle", "busy"; "draining": ends, or takes no more once the job in hand is given
  // back; "cordoned": takes none, by order or because it doubts itself.
  const char* State() const REQUIRES_LOCK(mu_);

  const WorkerIdentity identity_;
  const Clock& clock_;
  const SteadyTime started_;

  mutable Mutex mu_;
  bool ready_ GUARDED_BY(mu_) = false;
  bool draining_ GUARDED_BY(mu_) = false;
  std::optional<Closed> closed_ GUARDED_BY(mu_);
  Status queue_ GUARDED_BY(mu_);
  Status card_ GUARDED_BY(mu_);
  std::string job_id_ GUARDED_BY(mu_);
  std::vector<std::string> resident_ GUARDED_BY(mu_);
  v1::WorkerStats memory_ GUARDED_BY(mu_);
  std::optional<v1::Gpu> gpu_ GUARDED_BY(mu_);
  int64_t jobs_done_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::worker
