// Submit: check, fill in defaults, name the job, hand it to the queue. The flow of Images.Submit,
// Images.BatchSubmit and of the first half of Images.Generate. Thread-safe.
//
// A repeat of a submit is the same job for as long as anything remembers it: the queue, which knows
// the request's fingerprint, or the terminal record, which carries it too. When neither does, the
// request is queued anew under the same id.
//
// The queue is asked first. It knows what it has forgotten, and whether it may have come back from
// older data (scripts/lib/forgotten.lua): only then the store is asked about a key that it does not
// know. Whoever did not ask says so in the job, and the worker looks for the record before it
// draws. So a store that does not answer stops nobody, and a queue that is wrong about itself makes
// nothing twice.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/job/generate_spec.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/flow/model_catalog.h"
#include "services/gateway/flow/record_lookup.h"
#include "services/gateway/upkeep/job_metrics.h"

namespace phasor::gateway {

class SubmitFlow {
 public:
  // All outlive the flow. `draw_seed` is thread-safe.
  struct Parts {
    const ModelCatalog* catalog = nullptr;
    queue::Producer* producer = nullptr;
    RecordLookup* records = nullptr;
    JobMetrics* metrics = nullptr;
    std::string secret;  // of the server: makes job ids
    std::function<uint64_t()> draw_seed;
    // OK, or why a job that is not known yet is not accepted: no worker could ever do it. Empty:
    // all are.
    std::function<Status(const job::GenerateSpec&)> admit = nullptr;
  };

  explicit SubmitFlow(Parts parts);

  // One of several; the request outlives the call.
  struct Item {
    const v1::GenerateRequest* request = nullptr;
    std::string trace_parent;
    job::Caller caller = {};  // whose job it becomes
  };

  // Errors besides those of CompleteRequest: FAILED_PRECONDITION (no worker could do it),
  // ALREADY_EXISTS (the key named another request),
  // RESOURCE_EXHAUSTED with RetryInfo (queue full), UNAVAILABLE (paused, or the outcome is
  // unknown: repeat with the same key), DATA_LOSS (the job has ended, its record is damaged).
  using Answer = StatusOr<v1::SubmitResponse>;

  // A submit on its way. Without an answer it is not over.
  struct Pending {
    queue::SubmitRequest submit;
    v1::SubmitResponse response;
    std::string trace_parent;
    Status admitted;  // if it is new
    std::optional<Answer> answer;
  };
  using Group = std::vector<Pending*>;  // those with an answer are passed over

  // The steps in their order; the queue and the store hear of all of a group at once.
  Pending Prepare(const Item& item);
  // Leaves those without an answer that it does not know and that it may once have known.
  void AskQueue(const Group& group);
  // From the record where there is one. The others are for AskQueue again, which answers them all.
  void AskStore(const Group& group);

  // All steps for all of them, answer i for item i.
  std::vector<Answer> SubmitAll(const std::vector<Item>& items);

 private:
  StatusOr<Pending> Check(const Item& item);
  void Refuse(Pending* pending, const Status& why);
  // False: it has its answer.
  bool IsKnown(Pending* pending);
  // nullopt: ask the store.
  std::optional<Answer> Conclude(Pending* pending, const StatusOr<queue::SubmitReply>& reply);
  // Fills in what the worker gets.
  void Encode(bool record_unread, Pending* pending);
  Answer AnswerFromRecord(const storage::TerminalRecord& record, Pending* pending);
  // What the first submit of this job filled in, a drawn seed included.
  void ShowStoredRequest(const queue::SubmitRequest& submit, v1::SubmitResponse* response);

  Parts parts_;
};

// A thread-safe source of seeds below 2^32: short enough to be read aloud.
std::function<uint64_t()> RandomSeeds();

}  // namespace phasor::gateway
