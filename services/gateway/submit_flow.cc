#include "services/gateway/submit_flow.h"

#include <memory>
#include <random>
#include <utility>

#include "common/base/hash.h"
#include "common/base/mutex.h"
#include "common/job/generate_spec.h"
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

Status ToStatus(const queue::SubmitReply& reply) {
  switch (reply.outcome) {
    case queue::SubmitOutcome::kAccepted:
    case queue::SubmitOutcome::kDuplicate:
      return OkStatus();
    case queue::SubmitOutcome::kConflict:
      return AlreadyExists("the idempotency key was used before with another request");
    case queue::SubmitOutcome::kFull:
      return rpc::WithRetryAfter(ResourceExhausted("the queue is full (" + reply.full + ")"),
                                 reply.retry_after);
    case queue::SubmitOutcome::kPaused:
      return rpc::WithRetryAfter(Unavailable("the queue is paused"), reply.retry_after);
  }
  return Internal("unknown outcome of a submit");
}

}  // namespace

SubmitFlow::SubmitFlow(Parts parts) : parts_(std::move(parts)) {}

StatusOr<v1::SubmitResponse> SubmitFlow::Submit(const v1::GenerateRequest& request,
                                                const std::string& trace_parent) {
  ASSIGN_OR_RETURN(Prepared prepared, Prepare(request, trace_parent));
  if (prepared.answered) return std::move(prepared.response);
  const auto reply = parts_.producer->Submit(prepared.submit);
  return Conclude(std::move(prepared), reply);
}

StatusOr<SubmitFlow::Prepared> SubmitFlow::Prepare(const v1::GenerateRequest& request,
                                                   const std::string& trace_parent) {
  ASSIGN_OR_RETURN(const job::GenerateSpec spec,
                   CompleteRequest(request, *parts_.catalog, parts_.draw_seed));
  Prepared prepared;
  queue::SubmitRequest& submit = prepared.submit;
  submit.id = job::MakeJobId(parts_.secret, submit.tenant, KeyOf(request));
  prepared.response.set_job_id(submit.id);
  if (!request.idempotency_key().empty()) {
    ASSIGN_OR_RETURN(prepared.answered, AnswerFromRecord(submit.id, &prepared.response));
    if (prepared.answered) return prepared;
  }
  submit.priority = spec.priority;
  submit.model = spec.model;
  submit.cost = job::Cost(spec);
  // Without a key nobody can send the same job with another body.
  submit.fingerprint = request.idempotency_key().empty() ? "-" : RequestFingerprint(request);
  submit.deadline_ms = spec.deadline_ms;
  submit.spec = rpc::EncodeJobSpec({spec, trace_parent});
  *prepared.response.mutable_request() = rpc::ToProto(spec);
  return prepared;
}

StatusOr<v1::SubmitResponse> SubmitFlow::Conclude(Prepared prepared,
                                                  const StatusOr<queue::SubmitReply>& reply) {
  if (!reply.ok()) return reply.status();
  RETURN_IF_ERROR(ToStatus(*reply));
  v1::SubmitResponse& response = prepared.response;
  response.set_state(rpc::ToProto(reply->state, job::Phase::kNone));
  if (reply->outcome == queue::SubmitOutcome::kDuplicate) {
    response.set_duplicate(true);
    ShowStoredRequest(prepared.submit.id, &response);
  }
  return std::move(response);
}

StatusOr<bool> SubmitFlow::AnswerFromRecord(const job::JobId& id, v1::SubmitResponse* response) {
  const auto record = parts_.store->ReadTerminal(id);
  if (record.status().code() == StatusCode::kNotFound) return false;
  if (!record.ok()) return record.status();
  const auto view = parts_.producer->Get(id);
  // The queue still knows the request's fingerprint and so can tell a repeat from a conflict.
  if (view.ok()) return false;
  if (view.status().code() != StatusCode::kNotFound) return view.status();
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
