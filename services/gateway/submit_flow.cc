#include "services/gateway/submit_flow.h"

#include <memory>
#include <random>
#include <utility>

#include "common/base/hash.h"
#include "common/base/mutex.h"
#include "common/job/generate_spec.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_convert.h"
#include "services/gateway/request_check.h"

namespace phasor::gateway {
namespace {

// A key that no client can send by chance: the name of a job that nobody asks for twice.
std::string KeyOf(const v1::GenerateRequest& request) {
  if (request.idempotency_key().empty()) return std::string(1, '\x01').append(RandomToken());
  return request.idempotency_key();
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
    case StatusCode::kResourceExhausted:
      return "out of memory";
    default:
      return "unavailable";
  }
}

}  // namespace

SubmitFlow::SubmitFlow(Parts parts) : parts_(std::move(parts)) {}

StatusOr<v1::SubmitResponse> SubmitFlow::Submit(const v1::GenerateRequest& request,
                                                const std::string& trace_parent) {
  return std::move(SubmitAll({{&request, trace_parent}}).front());
}

std::vector<StatusOr<v1::SubmitResponse>> SubmitFlow::SubmitAll(const std::vector<Item>& items) {
  std::vector<StatusOr<v1::SubmitResponse>> answers;
  std::vector<size_t> sent;  // places in `answers` that the queue decides
  std::vector<Prepared> prepared;
  std::vector<queue::SubmitRequest> requests;
  answers.reserve(items.size());
  sent.reserve(items.size());
  prepared.reserve(items.size());
  requests.reserve(items.size());
  for (const Item& item : items) {
    auto one = Prepare(item);
    if (!one.ok()) {
      parts_.metrics->Refused(ReasonOf(one.status()));
      answers.emplace_back(one.status());
    } else if (one->answered) {
      parts_.metrics->Duplicate();
      answers.emplace_back(std::move(one->response));
    } else {
      sent.push_back(answers.size());
      answers.emplace_back(Unavailable("not submitted"));
      requests.push_back(std::move(one->submit));
      prepared.push_back(*std::move(one));
    }
  }
  if (requests.empty()) return answers;
  const auto replies = parts_.producer->SubmitAll(requests);
  for (size_t i = 0; i < sent.size(); ++i) {
    answers[sent[i]] = Conclude(requests[i], std::move(prepared[i].response), replies[i]);
  }
  return answers;
}

StatusOr<SubmitFlow::Prepared> SubmitFlow::Prepare(const Item& item) {
  const v1::GenerateRequest& request = *item.request;
  ASSIGN_OR_RETURN(const job::GenerateSpec spec,
                   CompleteRequest(request, *parts_.catalog, parts_.draw_seed));
  Prepared prepared;
  queue::SubmitRequest& submit = prepared.submit;
  submit.id = job::MakeJobId(parts_.secret, submit.tenant, KeyOf(request));
  prepared.response.set_job_id(submit.id);
  // Without a key nobody can send the same job with another body.
  std::string fingerprint;
  if (!request.idempotency_key().empty()) {
    fingerprint = RequestFingerprint(request);
    ASSIGN_OR_RETURN(prepared.answered,
                     AnswerFromRecord(submit.id, fingerprint, &prepared.response));
    if (prepared.answered) return prepared;
  }
  submit.priority = spec.priority;
  submit.model = spec.model;
  submit.cost = job::Cost(spec);
  submit.fingerprint = fingerprint.empty() ? "-" : fingerprint;
  submit.deadline_ms = spec.deadline_ms;
  *prepared.response.mutable_request() = rpc::ToProto(spec);
  submit.spec =
      rpc::EncodeJobSpec(prepared.response.mutable_request(), item.trace_parent, fingerprint);
  return prepared;
}

StatusOr<v1::SubmitResponse> SubmitFlow::Conclude(const queue::SubmitRequest& submit,
                                                  v1::SubmitResponse response,
                                                  const StatusOr<queue::SubmitReply>& reply) {
  if (!reply.ok()) {
    parts_.metrics->Refused(ReasonOf(reply.status()));
    return reply.status();
  }
  response.set_state(rpc::ToProto(reply->state, job::Phase::kNone));
  switch (reply->outcome) {
    case queue::SubmitOutcome::kAccepted:
      parts_.metrics->Accepted(submit.model);
      break;
    case queue::SubmitOutcome::kDuplicate:
      parts_.metrics->Duplicate();
      response.set_duplicate(true);
      ShowStoredRequest(submit.id, &response);
      break;
    case queue::SubmitOutcome::kConflict:
      parts_.metrics->Refused("conflict");
      return Conflict();
    case queue::SubmitOutcome::kFull:
      parts_.metrics->Refused("queue full (" + reply->full + ")");
      return rpc::WithRetryAfter(ResourceExhausted("the queue is full (" + reply->full + ")"),
                                 reply->retry_after);
    case queue::SubmitOutcome::kPaused:
      parts_.metrics->Refused("paused");
      return rpc::WithRetryAfter(Unavailable("the queue is paused"), reply->retry_after);
  }
  return response;
}

StatusOr<bool> SubmitFlow::AnswerFromRecord(const job::JobId& id, const std::string& fingerprint,
                                            v1::SubmitResponse* response) {
  const auto record = parts_.store->ReadTerminal(id);
  if (record.status().code() == StatusCode::kNotFound) return false;
  if (!record.ok()) return record.status();
  const auto view = parts_.producer->Get(id);
  // The queue still knows the request's fingerprint and so can tell a repeat from a conflict.
  if (view.ok()) return false;
  if (view.status().code() != StatusCode::kNotFound) return view.status();
  const std::string first = rpc::FingerprintOf(*record);
  if (!first.empty() && first != fingerprint) return Conflict();
  response->set_duplicate(true);
  response->set_state(rpc::ToProto(record->state, job::Phase::kNone));
  return true;
}

void SubmitFlow::ShowStoredRequest(const job::JobId& id, v1::SubmitResponse* response) {
  const auto view = parts_.producer->Get(id);
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
