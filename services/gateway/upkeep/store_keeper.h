// Lets go what the result store no longer needs: leftovers of lost workers, checkpoints of jobs
// that ended, results past their retention. A round over the store begins once per interval, the
// first one after a part of it. Any number of gateways may do this at once. One thread.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"
#include "services/gateway/upkeep/store_sweep.h"

namespace phasor::gateway {

class StoreKeeper {
 public:
  struct Config {
    storage::SweepPolicy policy;  // valid
    Millis interval = std::chrono::hours(1);
    double first = 0;  // part of the interval before the first round, 0 to 1
  };
  StoreKeeper(const StoreSweep::Parts& parts, const Config& config);

  // One page of the round in progress; between rounds nothing. Call about every second.
  Status Tick();

 private:
  const Clock* const clock_;
  const Millis interval_;
  StoreSweep sweep_;
  SteadyTime next_round_;
  int64_t round_deleted_ = 0;
};

}  // namespace phasor::gateway
