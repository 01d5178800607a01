#include "services/worker/run/store_calls.h"

#include "common/log/log.h"

namespace phasor::worker {

void StoreCalls::Began(const Status& status) {
  log::Warn("the store is away, the job waits for it",
            {{"job_id", job_.fence().id}, {"status", status}});
  metrics_.WaitsForStore(true);
}

void StoreCalls::Ended(int failures) {
  if (failures == 0) return;
  metrics_.WaitsForStore(false);
  log::Info("the job waits for the store no longer",
            {{"job_id", job_.fence().id}, {"calls", failures + 1}});
}

}  // namespace phasor::worker
