// Submit: check, fill in defaults, name the job, hand it to the queue. The flow of Images.Submit
// and of the first half of Images.Generate. Thread-safe; blocks on the queue.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/model_catalog.h"

namespace phasor::gateway {

class SubmitFlow {
 public:
  // All outlive the flow. `draw_seed` is thread-safe.
  struct Parts {
    const ModelCatalog* catalog = nullptr;
    queue::Producer* producer = nullptr;
    storage::ResultStore* store = nullptr;
    std::string secret;  // of the server: makes job ids
    std::function<uint64_t()> draw_seed;
  };

  explicit SubmitFlow(Parts parts);

  // A checked request on its way to the queue.
  struct Prepared {
    queue::SubmitRequest submit;
    v1::SubmitResponse response;
    bool answered = false;  // by a terminal record: nothing to submit
  };

  // Errors besides those of CompleteRequest: ALREADY_EXISTS (the key named another request),
  // RESOURCE_EXHAUSTED with RetryInfo (queue full), UNAVAILABLE (paused, or the outcome is
  // unknown: repeat with the same key).
  StatusOr<v1::SubmitResponse> Submit(const v1::GenerateRequest& request,
                                      const std::string& trace_parent);

  // Submit in two halves, for callers that hand several jobs to the queue at once.
  StatusOr<Prepared> Prepare(const v1::GenerateRequest& request, const std::string& trace_parent);
  StatusOr<v1::SubmitResponse> Conclude(Prepared prepared,
                                        const StatusOr<queue::SubmitReply>& reply);

 private:
  // The job of an earlier submit that the queue has forgotten and the store has not.
  StatusOr<bool> AnswerFromRecord(const job::JobId& id, v1::SubmitResponse* response);
  // What the first submit of this job filled in, a drawn seed included.
  void ShowStoredRequest(const job::JobId& id, v1::SubmitResponse* response);

  Parts parts_;
};

// A thread-safe source of seeds below 2^32: short enough to be read aloud.
std::function<uint64_t()> RandomSeeds();

}  // namespace phasor::gateway
