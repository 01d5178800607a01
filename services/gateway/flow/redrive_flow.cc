#include "services/gateway/flow/redrive_flow.h"

#include "common/log/log.h"

namespace phasor::gateway {

StatusOr<v1::Job> RedriveFlow::Redrive(const job::JobId& id, const job::Caller& caller) {
  RETURN_IF_ERROR(CheckJobId(id));
  if (!job::MayBeOf(id, caller.only_tenant())) return NotFound(kNoSuchJob);
  const auto redriven = producer_->Redrive(id, caller);
  if (redriven.status().code() == StatusCode::kNotFound) return NotFound(kNoSuchJob);
  ASSIGN_OR_RETURN(const queue::RedriveReply reply, redriven);
  log::Info("job redriven", {{"job_id", reply.id}, {"from", id}});
  return reader_->Get(reply.id, caller);
}

}  // namespace phasor::gateway
