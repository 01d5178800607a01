// The end of a job that came out, in the order that keeps one result per job: blobs under names
// of this ownership, then the terminal record if there is none; the queue is told last (taker.h).
// Whoever loses the race for the record deletes its blobs and settles with what stands.
//
// A store that is away or full is waited for as long as the job is this worker's: the picture is in
// hand, and no other worker would fare better. One thread, the executor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "services/worker/lease/lease_renewer.h"
#include "services/worker/patience.h"
#include "services/worker/run/store_calls.h"
#include "services/worker/running_job.h"

namespace phasor::worker {

struct Picture {
  std::string png;
  storage::ResultImage entry;  // all but the blob's name
};

class Publisher {
 public:
  Publisher(queue::Consumer& queue, storage::ResultStore& store, LeaseRenewer& renewer,
            const Patience& patience, Millis lease);

  // `record` is complete but for its images. Returns the record that stands, or an error of the
  // store; then nothing of this worker's is left in it, unless a record may stand that names it.
  // ABORTED: the job has to stop, because it is no longer this worker's or because the worker ends
  // while the store is away.
  StatusOr<storage::TerminalRecord> Publish(RunningJob& job, StoreCalls& calls,
                                            const std::vector<Picture>& pictures,
                                            storage::TerminalRecord record);

  // What the queue is to be told of a record that is DONE. Any other it is told here, as a final
  // failure: whoever seals it finds the record and takes that over.
  std::optional<queue::Completion> Settle(const queue::Fence& fence,
                                          const storage::TerminalRecord& record);

 private:
  // Whether a store that is away is still waited for.
  bool Waits(RunningJob& job);
  Status PutBlobs(RunningJob& job, StoreCalls& calls, const std::vector<Picture>& pictures,
                  storage::TerminalRecord* record);
  // UNAVAILABLE also while there is no room.
  Status PutOnce(const std::string& key, const std::string& bytes, SteadyTime began);
  void DeleteBlobs(const storage::TerminalRecord& record);

  queue::Consumer& queue_;
  storage::ResultStore& store_;
  LeaseRenewer& renewer_;
  const Patience& patience_;
  const Millis lease_;
};

}  // namespace phasor::worker
