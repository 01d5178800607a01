#include "services/gateway/flow/submit_flow.h"

#include <memory>
#include <random>
#include <utility>

#include "common/base/hash.h"
#include "common/base/mutex.h"
#include "common/job/generate_spec.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_details.h"
#include "services/gateway/flow/request_check.h"

namespace phasor::gateway {
namespace {

// A key that no client can send by chance: the name of a job that nobody asks for twice.
std::string KeyOf(const v1::GenerateRequest& request) {
  if (request.idempotency_key().empty()) return std::string(1, '\x01').append(RandomToken());
  return request.idempotency_key();
}

constexpr char kNoFingerprint[] = "-";

queue::Spend SpendOf(const PictureSpec& picture) {
  const int64_t pixels = int64_t{picture.width} * picture.height * picture.images;
  const int64_t passes = picture.guidance_scale > 1 ? 2 : 1;
  return {
      .pixel_steps = pixels * picture.steps * passes,
      .prompt_bytes = static_cast<int64_t>(picture.prompt.size() + picture.negative_prompt.size()),
      .result_bytes = 3 * pixels};
}

// The queue's own caps are everybody's; the others are a tenant's quotas.
std::string FullText(const std::string& full) {
  if (full == "jobs") return "the queue is full (jobs)";
  const std::string quota = full == "tenant" ? "open_jobs" : full;
  return "the tenant's quota " + quota + " is used up";
}

Status Conflict() {
  return AlreadyExists("the idempotency key was used before with another request");
}

// For the metric; bounded.
std::string ReasonOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return "invalid";
    case StatusCode::kUnimplemented:
      return "unimplemented";
    case StatusCode::kAlreadyExists:
      return "conflict";
    case StatusCode::kFailedPrecondition:
      return "fits no worker";
    case StatusCode::kResourceExhausted:
      return "out of memory";
    default:
      return "unavailable";
  }
}

}  // namespace

SubmitFlow::SubmitFlow(Parts parts) : parts_(std::move(parts)) {}

std::vector<SubmitFlow::Answer> SubmitFlow::SubmitAll(const std::vector<Item>& items) {
  std::vector<Pending> all;
  all.reserve(items.size());
  for (const Item& item : items) all.push_back(Prepare(item));
  Group group;
  for (Pending& pending : all) group.push_back(&pending);
  AskQueue(group);
  AskStore(group);
  AskQueue(group);
  std::vector<Answer> answers;
  answers.reserve(all.size());
  for (Pending& pending : all) answers.push_back(*std::move(pending.answer));
  return answers;
}

SubmitFlow::Pending SubmitFlow::Prepare(const Item& item) {
  auto checked = Check(item);
  if (checked.ok()) return *std::move(checked);
  Pending refused;
  Refuse(&refused, checked.status());
  return refused;
}

void SubmitFlow::Refuse(Pending* pending, const Status& why) {
  parts_.metrics->Refused(ReasonOf(why));
  pending->answer.emplace(why);
}

StatusOr<SubmitFlow::Pending> SubmitFlow::Check(const Item& item) {
  const v1::GenerateRequest& request = *item.request;
  ASSIGN_OR_RETURN(const job::GenerateSpec spec,
                   CompleteRequest(request, *parts_.catalog, parts_.draw_seed));
  Pending pending;
  queue::SubmitRequest& submit = pending.submit;
  const bool keyed = !request.idempotency_key().empty();
  submit.tenant = item.caller.tenant;
  submit.id = job::MakeJobId(parts_.secret, submit.tenant, KeyOf(request));
  // Without a key nobody can send the same job with another body, or have sent it before.
  submit.fingerprint = keyed ? RequestFingerprint(request) : kNoFingerprint;
  submit.unless_forgotten = keyed;
  submit.priority = spec.priority;
  submit.model = spec.model;
  submit.cost = job::Cost(spec.picture);
  submit.spend = SpendOf(spec.picture);
  submit.deadline_ms = spec.deadline_ms;
  submit.deadline_in = Millis(spec.deadline_in_ms);
  pending.trace_parent = item.trace_parent;
  pending.response.set_job_id(submit.id);
  *pending.response.mutable_request() = rpc::ToProto(spec);
  if (parts_.admit) pending.admitted = parts_.admit(spec);
  if (!keyed) RETURN_IF_ERROR(pending.admitted);
  // Should the queue have forgotten the key and not know of that, the worker still finds the
  // record.
  Encode(/*record_unread=*/keyed, &pending);
  return pending;
}

void SubmitFlow::AskQueue(const Group& group) {
  Group asked;
  std::vector<queue::SubmitRequest> requests;
  for (Pending* pending : group) {
    if (pending->answer) continue;
    if (!pending->admitted.ok() && !IsKnown(pending)) continue;
    asked.push_back(pending);
    requests.push_back(pending->submit);
  }
  if (asked.empty()) return;
  const auto replies = parts_.producer->SubmitAll(requests);
  for (size_t i = 0; i < asked.size(); ++i) asked[i]->answer = Conclude(asked[i], replies[i]);
}

// Of a job that no worker could do only one that was accepted before is answered.
bool SubmitFlow::IsKnown(Pending* pending) {
  const auto view = parts_.producer->Get(pending->submit.id, {.tenant = pending->submit.tenant});
  if (view.ok()) return true;
  if (view.status().code() != StatusCode::kNotFound) {
    Refuse(pending, view.status());
    return false;
  }
  const RecordLookup::Answers records = parts_.records->Read({pending->submit.id});
  if (records[0].ok()) {
    pending->answer = AnswerFromRecord(*records[0], pending);
  } else {
    Refuse(pending, pending->admitted);
  }
  return false;
}

void SubmitFlow::AskStore(const Group& group) {
  Group asked;
  std::vector<job::JobId> ids;
  for (Pending* pending : group) {
    if (pending->answer) continue;
    asked.push_back(pending);
    ids.push_back(pending->submit.id);
  }
  if (asked.empty()) return;
  const RecordLookup::Answers records = parts_.records->Read(ids);
  for (size_t i = 0; i < asked.size(); ++i) {
    Pending* pending = asked[i];
    if (records[i].ok()) {
      pending->answer = AnswerFromRecord(*records[i], pending);
    } else if (records[i].status().code() == StatusCode::kDataLoss) {
      Refuse(pending,
             DataLoss("the job of this key has ended; what the store has of it is damaged"));
    } else {
      const bool unread = records[i].status().code() != StatusCode::kNotFound;
      if (unread) parts_.metrics->Unchecked();
      pending->submit.unless_forgotten = false;
      Encode(unread, pending);
    }
  }
}

std::optional<SubmitFlow::Answer> SubmitFlow::Conclude(Pending* pending,
                                                       const StatusOr<queue::SubmitReply>& reply) {
  if (!reply.ok()) {
    parts_.metrics->Refused(ReasonOf(reply.status()));
    return reply.status();
  }
  v1::SubmitResponse& response = pending->response;
  response.set_state(rpc::ToProto(reply->state, job::Phase::kNone));
  switch (reply->outcome) {
    case queue::SubmitOutcome::kUnknown:
      return std::nullopt;
    case queue::SubmitOutcome::kAccepted:
      parts_.metrics->Accepted(pending->submit.model);
      break;
    case queue::SubmitOutcome::kDuplicate:
      parts_.metrics->Duplicate();
      response.set_duplicate(true);
      ShowStoredRequest(pending->submit, &response);
      break;
    case queue::SubmitOutcome::kConflict:
      parts_.metrics->Refused("conflict");
      return Conflict();
    case queue::SubmitOutcome::kFull:
      parts_.metrics->Refused("queue full (" + reply->full + ")");
      return rpc::WithRetryAfter(ResourceExhausted(FullText(reply->full)), reply->retry_after);
    case queue::SubmitOutcome::kPaused:
      parts_.metrics->Refused("paused");
      return rpc::WithRetryAfter(Unavailable("the queue is paused"), reply->retry_after);
  }
  return std::move(response);
}

SubmitFlow::Answer SubmitFlow::AnswerFromRecord(const storage::TerminalRecord& record,
                                                Pending* pending) {
  const std::string first = rpc::FingerprintOf(record);
  if (!first.empty() && first != pending->submit.fingerprint) {
    parts_.metrics->Refused("conflict");
    return Conflict();
  }
  parts_.metrics->Duplicate();
  pending->response.set_duplicate(true);
  pending->response.set_state(rpc::ToProto(record.state, job::Phase::kNone));
  pending->response.clear_request();  // the record does not have it
  return std::move(pending->response);
}

void SubmitFlow::Encode(bool record_unread, Pending* pending) {
  const std::string& fingerprint = pending->submit.fingerprint;
  pending->submit.spec =
      rpc::EncodeJobSpec(pending->response.mutable_request(),
                         {.spec = {},
                          .trace_parent = pending->trace_parent,
                          .fingerprint = fingerprint == kNoFingerprint ? "" : fingerprint,
                          .record_unread = record_unread});
}

void SubmitFlow::ShowStoredRequest(const queue::SubmitRequest& submit,
                                   v1::SubmitResponse* response) {
  const auto view = parts_.producer->Get(submit.id, {.tenant = submit.tenant});
  if (!view.ok()) return;
  const auto stored = rpc::DecodeJobSpec(view->spec);
  if (stored.ok()) *response->mutable_request() = rpc::ToProto(stored->spec);
}

std::function<uint64_t()> RandomSeeds() {
  struct Source {
    Mutex mu;
    std::mt19937_64 engine GUARDED_BY(mu);
  };
  auto source = std::make_shared<Source>();
  source->engine.seed(std::random_device()());
  return [source]() -> uint64_t {
    MutexLock lock(&source->mu);
    return source->engine() & 0xffffffffu;
  };
}

}  // namespace phasor::gateway
