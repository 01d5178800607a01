// Walks over the result store and lets go what storage::SweepPolicy says, counting in the metrics
// what went. The walk of the store keeper and of Admin.Cleanup. One thread.
#pragma once

#include "common/base/clock.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"
#include "common/storage/sweeper.h"
#include "services/gateway/upkeep/sweep_clock.h"

namespace phasor::gateway {

class StoreSweep {
 public:
  struct Parts {  // pointers outlive the sweep
    storage::ResultStore* store = nullptr;
    queue::Producer* producer = nullptr;
    const Clock* clock = nullptr;
    metrics::Registry* metrics = nullptr;
    queue::Maintenance* maintenance = nullptr;  // tells the queue's time; null: it is not asked
  };
  // `policy` is valid.
  StoreSweep(const Parts& parts, const storage::SweepPolicy& policy);

  // About one page of objects. After round_over the next one begins the walk anew. Nothing, and
  // FAILED_PRECONDITION in the report, while clocks differ (sweep_clock.h).
  storage::SweepReport Tick();

 private:
  void Count(const storage::SweepReport& report);

  SweepClock clock_;
  storage::Sweeper sweeper_;
  metrics::Family<metrics::Counter> deleted_;
};

// All that went.
int64_t Deleted(const storage::SweepReport& report);

}  // namespace phasor::gateway
