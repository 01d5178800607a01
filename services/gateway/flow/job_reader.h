// What is true about a job: the queue's view and the terminal record, merged. Where both speak,
// the record wins, and it answers alone once the queue has forgotten the job.
// A job that the caller does not see is NOT_FOUND, like one that never was, whoever of the two
// knows it. Thread-safe; blocks on queue and store.
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

  const std::string& tenant() const { return view ? view->tenant : record->tenant; }
};

// What NOT_FOUND says, whether there is none or none that the caller sees.
inline constexpr char kNoSuchJob[] = "there is no such job";

// INVALID_ARGUMENT for what can't be a job's id. Pure.
Status CheckJobId(const job::JobId& id);

// As clients see it, without image data. Pure.
v1::Job ToProto(const JobFacts& facts);

class JobReader {
 public:
  // Both outlive the reader. `secret` is the server's: it seals tenants' pages (page_seal.h);
  // empty: they see the queue's own tokens.
  JobReader(queue::Producer* producer, storage::ResultStore* store, std::string secret = "");

  // INVALID_ARGUMENT for a malformed id, NOT_FOUND, UNAVAILABLE.
  StatusOr<JobFacts> Look(const job::JobId& id, const job::Caller& caller);
  StatusOr<v1::Job> Get(const job::JobId& id, const job::Caller& caller);
  StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request,
                                      const job::Caller& caller);

  // The record of a DONE job; FAILED_PRECONDITION if it is not DONE, NOT_FOUND if it is but the
  // store does not have its record.
  StatusOr<storage::TerminalRecord> FinishedRecord(const job::JobId& id, const job::Caller& caller);
  // One picture's bytes, of a record that was read for somebody; DATA_LOSS if they are not what the
  // record says.
  StatusOr<std::string> Picture(const storage::ResultImage& image);

 private:
  queue::Producer* producer_;
  storage::ResultStore* store_;
  const std::string secret_;
};

}  // namespace phasor::gateway
