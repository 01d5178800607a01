// What every queue checks before it touches anything: ids and nonces become parts of keys.
// Also the words of refusals that all queues share. Pure functions; the error names the field and
// the limit.
#pragma once

#include "common/base/status.h"
#include "common/queue/types.h"

namespace phasor::queue {

Status CheckId(const JobId& id);
Status CheckFence(const Fence& fence);
Status CheckSubmit(const SubmitRequest& request);
Status CheckTake(const TakeRequest& request);
Status CheckRenew(const RenewRequest& request);
Status CheckFailure(const Failure& failure);
Status CheckLimits(const QueueLimits& limits);
Status CheckTenantLimits(const std::string& tenant, const TenantLimits& limits);

// The id of the next generation: "<id>#2" of "<id>", "<id>#3" of "<id>#2". FAILED_PRECONDITION
// after the last one that an id can carry.
StatusOr<JobId> NextGeneration(const JobId& id);
// What a redrive answers for a job in another state, and for a refusal that a submit would get.
Status NotDead(const JobId& id, State state);
Status ToStatus(const SubmitReply& refusal);

}  // namespace phasor::queue
