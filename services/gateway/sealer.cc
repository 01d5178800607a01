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

StatusOr<std::string> Sealer::Details(const job::JobId& id) {
  const auto view = producer_->Get(id);
  if (view.ok()) return rpc::EncodeDetails({}, rpc::FingerprintOf(view->spec));
  // A job that the queue has forgotten meanwhile is sealed all the same.
  if (view.status().code() == StatusCode::kNotFound) return std::string();
  return view.status();
}

Status Sealer::Seal(const queue::SealRequest& request) {
  storage::TerminalRecord record;
  record.id = request.id;
  record.state = request.want;
  record.reason = request.reason;
  record.code = request.code;
  record.epoch = request.epoch;
  record.finished_ms = clock_->WallMillis();
  ASSIGN_OR_RETURN(record.details, Details(request.id));
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
