// Submit: check, fill in defaults, name the job, hand it to the queue. The flow of Images.Submit,
// Images.BatchSubmit and of the first half of Images.Generate. Thread-safe; blocks on queue and
// store.
//
// A repeat of a submit is the same job for as long as anything remembers it: the queue, which knows
// the request's fingerprint, or the terminal record, which carries it too. When neither does, the
// request is queued anew under the same id.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/job_metrics.h"
#include "services/gateway/model_catalog.h"

namespace phasor::gateway {

class SubmitFlow {
 public:
  // All outlive the flow. `draw_seed` is thread-safe.
  struct Parts {
    const ModelCatalog* catalog = nullptr;
    queue::Producer* producer = nullptr;
    storage::ResultStore* store = nullptr;
    JobMetrics* metrics = nullptr;
    std::string secret;  // of the server: makes job ids
    std::function<uint64_t()> draw_seed;
  };

  explicit SubmitFlow(Parts parts);

  // One of several; the request outlives the call.
  struct Item {
    const v1::GenerateRequest* request = nullptr;
    std::string trace_parent;
  };

  // Errors besides those of CompleteRequest: ALREADY_EXISTS (the key named another request),
  // RESOURCE_EXHAUSTED with RetryInfo (queue full), UNAVAILABLE (paused, or the outcome is
  // unknown: repeat with the same key).
  StatusOr<v1::SubmitResponse> Submit(const v1::GenerateRequest& request,
                                      const std::string& trace_parent);
  // As Submit for each, answer i for item i; the queue hears of all at once.
  std::vector<StatusOr<v1::SubmitResponse>> SubmitAll(const std::vector<Item>& items);

 private:
  // A checked request on its way to the queue.
  struct Prepared {
    queue::SubmitRequest submit;
    v1::SubmitResponse response;
    bool answered = false;  // by a terminal record: nothing to submit
  };

  StatusOr<Prepared> Prepare(const Item& item);
  // `response` as Prepare left it.
  StatusOr<v1::SubmitResponse> Conclude(const queue::SubmitRequest& submit,
                                        v1::SubmitResponse response,
                                        const StatusOr<queue::SubmitReply>& reply);
  // The job of an earlier submit that the queue has forgotten and the store has not.
  StatusOr<bool> AnswerFromRecord(const job::JobId& id, const std::string& fingerprint,
                                  v1::SubmitResponse* response);
  // What the first submit of this job filled in, a drawn seed included.
  void ShowStoredRequest(const job::JobId& id, v1::SubmitResponse* response);

  Parts parts_;
};

// A thread-safe source of seeds below 2^32: short enough to be read aloud.
std::function<uint64_t()> RandomSeeds();

}  // namespace phasor::gateway
