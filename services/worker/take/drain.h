// The orderly ways to empty a worker: no further job is taken; the job in hand has a grace to
// finish, then it is checkpointed and given back. A second request ends the grace at once.
// Thread-safe. References outlive it.
#pragma once

#include <optional>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/worker/lease/lease_renewer.h"
#include "services/worker/take/executor.h"
#include "services/worker/take/intake.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

class Drain {
 public:
  Drain(Executor& executor, Intake& intake, LeaseRenewer& lease, WorkerStatus& status,
        const Clock& clock);

  // The worker ends; the job in hand may go on for `grace`. A later request can only shorten that.
  void Begin(Millis grace);
  // The worker lives on but has no job: the one in hand is given back at once and no other taken.
  void Order();
  // Stops the job in hand once the grace is over. To be called several times a second.
  void Tick();

 private:
  void EndJobBy(SteadyTime end);

  Executor& executor_;
  Intake& intake_;
  LeaseRenewer& lease_;
  WorkerStatus& status_;
  const Clock& clock_;

  Mutex mu_;
  std::optional<SteadyTime> end_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
