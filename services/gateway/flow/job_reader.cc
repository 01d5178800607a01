#include "services/gateway/flow/job_reader.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_details.h"
#include "services/gateway/flow/client_status.h"
#include "services/gateway/flow/page_seal.h"

namespace phasor::gateway {
namespace {

constexpr int kDefaultPage = 100;
constexpr int kMaxPage = 1000;

void AddView(const queue::JobView& view, v1::Job* job) {
  job->set_state(rpc::ToProto(view.state, view.phase));
  job->set_model(view.model);
  job->set_priority(rpc::ToProto(view.priority));
  job->set_created_ms(view.enqueued_ms);
  job->set_changed_ms(view.changed_ms);
  if (job::IsTerminal(view.state)) job->set_finished_ms(view.changed_ms);
  job->set_step(view.step);
  job->set_queue_position(view.position);
  job->set_tries(view.tries);
  job->set_crashes(view.crashes);
  job->set_worker(view.worker);
  job->set_version(view.version);
  if (!view.reason.empty() && view.state != queue::State::kDone) {
    job->mutable_error()->set_code(view.code);
    job->mutable_error()->set_message(view.reason);
  }
  if (const auto spec = rpc::DecodeJobSpec(view.spec); spec.ok()) {
    job->set_steps(spec->spec.picture.steps);
    *job->mutable_request() = rpc::ToProto(spec->spec);
  }
}

void AddRecord(const storage::TerminalRecord& record, v1::Job* job) {
  job->set_state(rpc::ToProto(record.state, job::Phase::kNone));
  job->set_finished_ms(record.finished_ms);
  job->set_queue_position(-1);
  // What only the queue said, as long as it remembered the job.
  if (job->model().empty()) job->set_model(record.model);
  if (job->created_ms() == 0) job->set_created_ms(record.accepted_ms);
  if (!record.worker.empty()) job->set_worker(record.worker);
  job->clear_error();
  if (record.state == job::State::kDone) {
    job->set_step(job->steps());
    *job->mutable_result() = rpc::ResultOf(record);
  } else {
    job->mutable_error()->set_code(record.code);
    job->mutable_error()->set_message(record.reason);
  }
}

// The queue's states that may show as `state`.
std::vector<queue::State> QueueStates(v1::JobState state) {
  switch (state) {
    case v1::QUEUED:
      return {queue::State::kQueued};
    case v1::INITIALIZING:
    case v1::ENCODING_PROMPT:
    case v1::DIFFUSION_RUNNING:
    case v1::DECODING:
      return {queue::State::kLeased};
    case v1::RETRY_PENDING:
      return {queue::State::kWaiting, queue::State::kSealing};
    case v1::DONE:
      return {queue::State::kDone};
    case v1::FAILED:
      return {queue::State::kDead};
    case v1::CANCELED:
      return {queue::State::kCanceled};
    case v1::EXPIRED:
      return {queue::State::kExpired};
    default:
      return {};
  }
}

StatusOr<queue::ListRequest> ToQueue(const v1::ListJobsRequest& request,
                                     const job::Caller& caller) {
  std::vector<FieldViolation> violations;
  if (request.page_size() < 0 || request.page_size() > kMaxPage) {
    violations.push_back({"page_size", "must be between 1 and 1000 (0: 100), got " +
                                           std::to_string(request.page_size())});
  }
  std::set<queue::State> states;
  for (const int number : request.states()) {
    const auto state = static_cast<v1::JobState>(number);
    const auto wanted = QueueStates(state);
    if (wanted.empty()) {
      violations.push_back({"states", "number " + std::to_string(number) + " is no job state"});
    }
    states.insert(wanted.begin(), wanted.end());
  }
  if (!violations.empty()) return rpc::InvalidFields(violations);
  queue::ListRequest list;
  list.tenant = caller.only_tenant();
  list.model = request.model();
  list.states.assign(states.begin(), states.end());
  list.limit = request.page_size() == 0 ? kDefaultPage : request.page_size();
  list.page = request.page_token();
  return list;
}

// Why there is no picture of a job whose record the store does not have.
Status WithoutRecord(queue::State state) {
  if (!job::IsTerminal(state)) return FailedPrecondition("the job has not ended");
  const std::string name(job::ToString(state));
  if (state != queue::State::kDone) {
    return FailedPrecondition("the job ended without a picture: " + name);
  }
  return NotFound(
      "the job is DONE, but the store has no record of it any more: it is past its time, or the "
      "store has lost it");
}

// What is wrong in the store is never the caller's mistake, and its words are not for the caller.
Status StoreTrouble(const Status& status) {
  if (status.code() == StatusCode::kDataLoss) {
    return DataLoss("what the store has of this job is damaged");
  }
  return IsPassing(status) ? status : Unavailable(status.ToString());
}

}  // namespace

Status CheckJobId(const job::JobId& id) {
  if (job::IsValidJobId(id)) return OkStatus();
  return rpc::InvalidFields({{"job_id", "is not the id of a job"}});
}

v1::Job ToProto(const JobFacts& facts) {
  v1::Job job;
  job.set_queue_position(-1);
  job.set_id(facts.view ? facts.view->id : facts.record->id);
  if (facts.view) AddView(*facts.view, &job);
  if (facts.record) AddRecord(*facts.record, &job);
  return job;
}

JobReader::JobReader(queue::Producer* producer, storage::ResultStore* store, std::string secret)
    : producer_(producer), store_(store), secret_(std::move(secret)) {}

StatusOr<JobFacts> JobReader::Look(const job::JobId& id, const job::Caller& caller) {
  RETURN_IF_ERROR(CheckJobId(id));
  // Before anybody is asked: how long it takes tells nothing of what there is.
  if (!job::MayBeOf(id, caller.only_tenant())) return NotFound(kNoSuchJob);
  JobFacts facts;
  auto view = producer_->Get(id, caller);
  auto record = store_->ReadTerminal(id);
  if (view.ok()) facts.view = *std::move(view);
  if (record.ok()) facts.record = *std::move(record);
  if (facts.record) {
    // The queue's word where it has one: what wrote the record may not have known whose job it was.
    if (!caller.Sees(facts.tenant())) return NotFound(kNoSuchJob);
    return facts;
  }
  if (record.status().code() != StatusCode::kNotFound) return StoreTrouble(record.status());
  if (facts.view) return facts;
  if (view.status().code() == StatusCode::kNotFound) return NotFound(kNoSuchJob);
  return view.status();
}

StatusOr<v1::Job> JobReader::Get(const job::JobId& id, const job::Caller& caller) {
  ASSIGN_OR_RETURN(const JobFacts facts, Look(id, caller));
  return ToProto(facts);
}

StatusOr<v1::ListJobsResponse> JobReader::List(const v1::ListJobsRequest& request,
                                               const job::Caller& caller) {
  ASSIGN_OR_RETURN(queue::ListRequest list, ToQueue(request, caller));
  const bool sealed = !secret_.empty() && !caller.only_tenant().empty();
  if (sealed) {
    ASSIGN_OR_RETURN(list.page, OpenPage(secret_, caller.only_tenant(), request.page_token()));
  }
  ASSIGN_OR_RETURN(queue::ListReply reply, producer_->List(list));
  v1::ListJobsResponse response;
  for (queue::JobView& view : reply.jobs) {
    v1::Job job = ToProto({.view = std::move(view), .record = std::nullopt});
    const auto& states = request.states();
    const bool wanted =
        states.empty() || std::find(states.begin(), states.end(), job.state()) != states.end();
    if (wanted) *response.add_jobs() = std::move(job);
  }
  response.set_next_page_token(sealed ? SealPage(secret_, caller.only_tenant(), reply.next_page)
                                      : reply.next_page);
  return response;
}

StatusOr<storage::TerminalRecord> JobReader::FinishedRecord(const job::JobId& id,
                                                            const job::Caller& caller) {
  ASSIGN_OR_RETURN(JobFacts facts, Look(id, caller));
  if (!facts.record) return WithoutRecord(facts.view->state);
  if (facts.record->state != job::State::kDone) {
    return FailedPrecondition("the job ended without a picture: " +
                              std::string(job::ToString(facts.record->state)));
  }
  return *std::move(facts.record);
}

StatusOr<std::string> JobReader::Picture(const storage::ResultImage& image) {
  auto bytes = store_->Get(image.blob);
  if (bytes.status().code() == StatusCode::kNotFound) {
    return NotFound(
        "this picture is not in the store any more: it is past its time, or the store has lost it");
  }
  if (!bytes.ok()) return StoreTrouble(bytes.status());
  if (Sha256Hex(*bytes) != image.sha256) {
    return DataLoss("a picture of this job is damaged in the store");
  }
  return bytes;
}

}  // namespace phasor::gateway
