// The queue's limits as proto and back, with the ranges that a caller of SetLimits may choose from.
// Pure functions; INVALID_ARGUMENT names every field that is out of range.
#pragma once

#include "common/base/status.h"
#include "common/queue/types.h"
#include "phasor/v1/admin.pb.h"

namespace phasor::gateway {

v1::QueueLimits ToProto(const queue::QueueLimits& limits);

// `now` with everything that `wanted` sets.
StatusOr<queue::QueueLimits> Changed(const queue::QueueLimits& now, const v1::QueueLimits& wanted);

StatusOr<queue::TenantLimits> FromProto(const v1::TenantLimits& wanted);

}  // namespace phasor::gateway
