// What is true about a job: the queue's view and the terminal record, merged. Where both speak,
// the record wins, and it answers alone once the queue has forgotten the job.
// Thread-safe; blocks on queue and store.
#pragma once

#include <optional>
#include <string>

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "phasor/v1/images.pb.h"
#include "phasor/v1/types.pb.h"

namespace phasor::gateway {

// Either may be absent, not both.
struct JobFacts {
  std::optional<queue::JobView> view;
  std::optional<storage::TerminalRecord> record;
};

// INVALID_ARGUMENT for what can't be a job's id. Pure.
Status CheckJobId(const job::JobId& id);

// As clients see it, without image data. Pure.
v1::Job ToProto(const JobFacts& facts);

class JobReader {
 public:
  // Both outlive the reader.
  JobReader(queue::Producer* producer, storage::ResultStore* store);

  // INVALID_ARGUMENT for a malformed id, NOT_FOUND, UNAVAILABLE.
  StatusOr<JobFacts> Look(const job::JobId& id);
  StatusOr<v1::Job> Get(const job::JobId& id);
  StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);

  // The record of a DONE job; FAILED_PRECONDITION if it is not DONE, NOT_FOUND if it is but the
  // store does not have its record.
  StatusOr<storage::TerminalRecord> FinishedRecord(const job::JobId& id);
  // One picture's bytes; DATA_LOSS if they are not what the record says.
  StatusOr<std::string> Picture(const storage::ResultImage& image);

 private:
  queue::Producer* producer_;
  storage::ResultStore* store_;
};

}  // namespace phasor::gateway
