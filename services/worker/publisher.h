// The end of a job that came out, in the order that keeps one result per job: blobs under names
// of this ownership, then the terminal record if there is none; the queue is told last (taker.h).
// Whoever loses the race for the record deletes its blobs and settles with what stands.
//
// Calls whose outcome is unknown are repeated until the own deadline. One thread, the executor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "services/worker/patience.h"
#include "services/worker/running_job.h"

namespace phasor::worker {

struct Picture {
  std::string png;
  storage::ResultImage entry;  // all but the blob's name
};

class Publisher {
 public:
  Publisher(queue::Consumer& queue, storage::ResultStore& store, const Patience& patience,
            Millis lease);

  // `record` is complete but for its images. Returns the record that stands, or an error of the
  // store; then nothing of this worker's is left in it, unless a record may stand that names it.
  // ABORTED: the job is no longer this
  // worker's; nothing was published.
  StatusOr<storage::TerminalRecord> Publish(RunningJob& job, const std::vector<Picture>& pictures,
                                            storage::TerminalRecord record);

  // What the queue is to be told of a record that is DONE. Any other it is told here, as a final
  // failure: whoever seals it finds the record and takes that over.
  std::optional<queue::Completion> Settle(const queue::Fence& fence,
                                          const storage::TerminalRecord& record);

 private:
  Status PutBlobs(RunningJob& job, const std::vector<Picture>& pictures,
                  storage::TerminalRecord* record);
  void DeleteBlobs(const storage::TerminalRecord& record);

  queue::Consumer& queue_;
  storage::ResultStore& store_;
  const Patience& patience_;
  const Millis lease_;
};

}  // namespace phasor::worker
