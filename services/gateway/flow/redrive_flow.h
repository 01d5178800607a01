// Redrive: a dead letter runs again as a new job of its own id's next generation. What the dead one
// was stays readable. Thread-safe; blocks on queue and store.
#pragma once

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "phasor/v1/types.pb.h"
#include "services/gateway/flow/job_reader.h"

namespace phasor::gateway {

class RedriveFlow {
 public:
  // Both outlive the flow.
  RedriveFlow(queue::Producer* producer, JobReader* reader)
      : producer_(producer), reader_(reader) {}

  // The new job. INVALID_ARGUMENT for a malformed id, NOT_FOUND, FAILED_PRECONDITION for a job that
  // is no dead letter, RESOURCE_EXHAUSTED over a cap. Repeating it gives the same job.
  StatusOr<v1::Job> Redrive(const job::JobId& id, const job::Caller& caller);

 private:
  queue::Producer* const producer_;
  JobReader* const reader_;
};

}  // namespace phasor::gateway
