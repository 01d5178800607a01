// Asks the store for the terminal records of several jobs at once, on threads of its own, and does
// not wait long: a store that is slow, stalled or away costs its callers the patience once, and
// nothing from then on until it answers again. Thread-safe; Read blocks.
#pragma once

#include <chrono>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/storage/result_store.h"
#include "services/gateway/flow/work_pool.h"

namespace phasor::gateway {

class RecordLookup {
 public:
  struct Options {
    // One for each call that is under way: as many as the groups of submits that wait for the store
    // (grpc/submit_group.cc), and some for those that have lost their patience.
    int threads = 32;
    size_t max_waiting = 256;  // calls
    Millis patience{1'000};    // in real time, whatever the gateway's clock says
  };

  // Both outlive the lookup.
  RecordLookup(storage::ResultStore* store, metrics::Registry* metrics, const Options& options);
  RecordLookup(storage::ResultStore* store, metrics::Registry* metrics);

  // Answer i for id i: as ReadTerminals, in one call of it; UNAVAILABLE also when the store did not
  // answer in time.
  using Answers = std::vector<StatusOr<storage::TerminalRecord>>;
  Answers Read(const std::vector<job::JobId>& ids);

  // Waits for what the store has been asked.
  void Stop() { pool_.Stop(); }

 private:
  struct Question;

  bool IsStalled();
  void Ask(Question* question);

  storage::ResultStore* const store_;
  const Millis patience_;

  Mutex mu_;
  int asking_ GUARDED_BY(mu_) = 0;
  // The last answer, or when the store was first asked after having nothing to answer.
  std::chrono::steady_clock::time_point heard_ GUARDED_BY(mu_);

  WorkPool pool_;  // last: its threads use the others
};

}  // namespace phasor::gateway
