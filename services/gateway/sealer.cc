#include "services/gateway/sealer.h"

#include "common/log/log.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"

namespace phasor::gateway {
namespace {

constexpr int kBatch = 64;

}  // namespace

Sealer::Sealer(queue::Maintenance* maintenance, queue::Producer* producer,
               storage::ResultStore* store, const Clock* clock)
    : maintenance_(maintenance), producer_(producer), store_(store), clock_(clock) {}

Status Sealer::Tick() {
  ASSIGN_OR_RETURN(const auto pending, maintenance_->PendingSeals(kBatch));
  Status first_error;
  for (const queue::SealRequest& request : pending) {
    // One job that can't be sealed must not keep the others waiting.
    first_error.Update(Seal(request));
  }
  return first_error;
}

Status Sealer::Describe(storage::TerminalRecord* record) {
  const auto view = producer_->Get(record->id);
  if (view.status().code() == StatusCode::kNotFound) return OkStatus();
  RETURN_IF_ERROR(view.status());
  record->tenant = view->tenant;
  record->model = view->model;
  record->accepted_ms = view->enqueued_ms;
  record->details = rpc::EncodeDetails({}, rpc::FingerprintOf(view->spec));
  return OkStatus();
}

Status Sealer::Seal(const queue::SealRequest& request) {
  storage::TerminalRecord record;
  record.id = request.id;
  record.state = request.want;
  record.reason = request.reason;
  record.code = request.code;
  record.epoch = request.epoch;
  record.finished_ms = clock_->WallMillis();
  RETURN_IF_ERROR(Describe(&record));
  ASSIGN_OR_RETURN(const storage::TerminalRecord standing, store_->CreateTerminal(record));
  const Status adopted =
      maintenance_->Adopt(request.id, standing.state, storage::TerminalKey(request.id));
  if (!adopted.ok() && adopted.code() != StatusCode::kNotFound) return adopted;
  log::Info("job sealed", {{"job_id", request.id},
                           {"state", std::string(job::ToString(standing.state))},
                           {"code", standing.code}});
  return OkStatus();
}

}  // namespace phasor::gateway
