// Walks a result store and deletes what sweep.h lets go, one bounded page at a time.
//
// Any number of sweepers may work on one store: deletions repeat harmlessly. One thread calls
// Tick; it blocks on the store. Neither logs nor sleeps: the caller decides the pace.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "common/storage/sweep.h"

namespace phasor::storage {

struct SweepReport {
  int64_t looked = 0;  // objects listed
  int64_t orphans = 0;
  int64_t checkpoints = 0;
  int64_t results = 0;     // blobs past their retention
  int64_t records = 0;     // records past theirs
  int64_t unreadable = 0;  // jobs whose record cannot be read: left alone
  bool round_over = false;
  // Why the tick ended early. The job at hand is left to the next round, the walk goes on.
  Status status;
};

class Sweeper {
 public:
  // Whether the queue knows the job. An error leaves the job alone.
  using InQueue = std::function<StatusOr<bool>(const job::JobId&)>;

  // `store` and what `in_queue` uses must outlive this. `policy` must be valid.
  Sweeper(ResultStore* store, SweepPolicy policy, InQueue in_queue);

  // Looks at about one page of objects; `now_ms` is wall time. After round_over the next tick
  // begins anew.
  SweepReport Tick(int64_t now_ms);

 private:
  // Lists the next page and sorts it into `ready_`.
  Status ReadPage(SweepReport* report);
  Status SweepJob(const JobObjects& job, int64_t now_ms, SweepReport* report);

  ResultStore* const store_;
  const SweepPolicy policy_;
  const InQueue in_queue_;

  std::string cursor_;
  std::deque<JobObjects> ready_;  // jobs whose objects are all known
  JobObjects partial_;            // the last one of a page, which may go on in the next
};

}  // namespace phasor::storage
