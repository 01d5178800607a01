// The orderly end of a worker: no further job is taken; the job in hand has a grace to finish,
// then it is checkpointed and given back. A second request ends the grace at once.
// Thread-safe. References outlive it.
#pragma once

#include <optional>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/worker/executor.h"
#include "services/worker/lease_renewer.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

class Drain {
 public:
  Drain(Executor& executor, LeaseRenewer& lease, WorkerStatus& status, const Clock& clock);

  // The job in hand may go on for `grace`. A later request can only shorten that.
  void Begin(Millis grace);
  // Stops the job in hand once the grace is over. To be called several times a second.
  void Tick();

 private:
  Executor& executor_;
  LeaseRenewer& lease_;
  WorkerStatus& status_;
  const Clock& clock_;

  Mutex mu_;
  std::optional<SteadyTime> end_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
