#include "services/gateway/flow/redrive_flow.h"

#include "common/log/log.h"

namespace phasor::gateway {

StatusOr<v1::Job> RedriveFlow::Redrive(const job::JobId& id, const job::Caller& caller) {
  RETURN_IF_ERROR(CheckJobId(id));
  ASSIGN_OR_RETURN(const queue::RedriveReply reply, producer_->Redrive(id, caller));
  log::Info("job redriven", {{"job_id", reply.id}, {"from", id}});
  return reader_->Get(reply.id, caller);
}

}  // namespace phasor::gateway
