// Cancel: win the terminal record, then tell the queue. Whoever wrote the record first decides,
// so a cancel that comes too late answers DONE. Thread-safe; blocks on queue and store.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "phasor/v1/types.pb.h"
#include "services/gateway/flow/job_reader.h"

namespace phasor::gateway {

class CancelFlow {
 public:
  // All outlive the flow.
  struct Parts {
    JobReader* reader = nullptr;
    queue::Producer* producer = nullptr;
    queue::Maintenance* maintenance = nullptr;
    storage::ResultStore* store = nullptr;
    const Clock* clock = nullptr;
  };
  explicit CancelFlow(const Parts& parts) : parts_(parts) {}

  // The job as it stands afterwards. Errors as of JobReader::Look.
  StatusOr<v1::Job> Cancel(const job::JobId& id, const job::Caller& caller);
  // The same, but a job that more than one submit has named goes on.
  StatusOr<v1::Job> CancelUnlessShared(const job::JobId& id, const job::Caller& caller);

 private:
  StatusOr<v1::Job> End(const job::JobId& id, const job::Caller& caller, JobFacts facts);

  Parts parts_;
};

}  // namespace phasor::gateway
