#include "services/gateway/flow/cancel_flow.h"

#include <utility>

#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"

namespace phasor::gateway {

StatusOr<v1::Job> CancelFlow::Cancel(const job::JobId& id, const job::Caller& caller) {
  ASSIGN_OR_RETURN(JobFacts facts, parts_.reader->Look(id, caller));
  return End(id, caller, std::move(facts));
}

// Somebody who submits it between the look and the end hears of the end, as after a cancel.
StatusOr<v1::Job> CancelFlow::CancelUnlessShared(const job::JobId& id, const job::Caller& caller) {
  ASSIGN_OR_RETURN(JobFacts facts, parts_.reader->Look(id, caller));
  if (!facts.view || facts.view->shared) return ToProto(facts);
  return End(id, caller, std::move(facts));
}

StatusOr<v1::Job> CancelFlow::End(const job::JobId& id, const job::Caller& caller, JobFacts facts) {
  if (!facts.record && !job::IsTerminal(facts.view->state)) {
    storage::TerminalRecord record;
    record.id = id;
    record.state = job::State::kCanceled;
    record.code = "CANCELLED";
    record.reason = "canceled by the client";
    record.epoch = facts.view->epoch;
    record.tenant = facts.view->tenant;
    record.model = facts.view->model;
    record.accepted_ms = facts.view->enqueued_ms;
    record.started_ms = facts.view->started_ms;
    record.details = rpc::EncodeDetails({}, rpc::FingerprintOf(facts.view->spec));
    record.finished_ms = parts_.clock->WallMillis();
    ASSIGN_OR_RETURN(facts.record, parts_.store->CreateTerminal(record));
  }
  if (facts.view && facts.record && facts.view->state != facts.record->state) {
    const Status told =
        facts.record->state == job::State::kCanceled
            ? parts_.producer->Cancel(id, caller).status()
            : parts_.maintenance->Adopt(id, facts.record->state, storage::TerminalKey(id));
    // A queue that forgot the job meanwhile has nothing to be told.
    if (!told.ok() && told.code() != StatusCode::kNotFound) return told;
  }
  return parts_.reader->Get(id, caller);
}

}  // namespace phasor::gateway
