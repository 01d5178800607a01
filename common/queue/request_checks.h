// What every queue checks before it touches anything: ids and nonces become parts of keys.
// Pure functions; the error names the field and the limit.
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

}  // namespace phasor::queue
