// Keeps the leases of the jobs in hand, on a thread of its own so that a long unit loses none.
//
// At the beginning, so that the queue knows that the grant has come, and every `every` it hears the
// units done so far and how long the unit that runs may take, of each job.
// The queue itself refuses to extend a lease whose units have not moved for that long, so a hung
// kernel loses its job although this thread lives. An answer that somebody else owns the job
// stops the run; silence stops it at the own deadline: send time + lease - 20 %, on the steady
// clock. A job is dropped for that only when the queue, asked once more, does not say that it is
// still this worker's: a queue that stalled costs time and no job.
//
// Thread-safe. Begin and End are the executor's; Tick is one look at the clock and is what tests
// call; Run ticks until stopped. References outlive the renewer.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/queue/queue.h"
#include "services/worker/patience.h"
#include "services/worker/running_job.h"
#include "services/worker/worker_metrics.h"

namespace phasor::worker {

struct LeaseConfig {
  Millis lease{15'000};
  Millis every{4'000};
  Millis retry{500};  // after a renewal whose outcome is unknown
};

// The moment from which a worker that asked for `lease` at `sent` no longer trusts it.
SteadyTime OwnDeadline(SteadyTime sent, Millis lease);

class LeaseRenewer {
 public:
  LeaseRenewer(queue::Consumer& consumer, const Clock& clock, LeaseConfig config,
               WorkerMetrics& metrics);

  void Begin(std::shared_ptr<RunningJob> job);
  // No renewal of the job is sent after this, but one may be under way.
  void End(const RunningJob& job);
  // The next Tick renews all, whatever the time: a new checkpoint, or a hint that a job ended.
  void RenewSoon();
  // Asks the job to stop if it is in hand; empty: all that are.
  void AskToStop(StopReason reason, const job::JobId& id = "");
  // What the executor does with the jobs in hand; nullopt: there is none.
  std::optional<Activity> activity() const;

  // Why the run must stop. Once the own deadline has passed the queue is asked whether the job is
  // still this worker's, on the caller's thread and for at most the lease; if it is, the run goes
  // on with the lease renewed.
  StopReason Stop(RunningJob& job, const Patience& patience);
  // Asks that in any case: for a grant that came late.
  void Confirm(RunningJob& job, const Patience& patience);

  void Tick();
  void Run(std::stop_token stop);

 private:
  struct Held {
    std::shared_ptr<RunningJob> job;
    SteadyTime due;
  };
  std::vector<std::shared_ptr<RunningJob>> TakeDue();
  bool AnyDue() const REQUIRES_LOCK(mu_);
  void Digest(RunningJob& job, const StatusOr<queue::OwnerAnswer>& answer, SteadyTime sent,
              const std::string& checkpoint);

  queue::Consumer& consumer_;
  const Clock& clock_;
  const LeaseConfig config_;
  WorkerMetrics& metrics_;

  mutable Mutex mu_;
  CondVar changed_;
  std::vector<Held> held_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
