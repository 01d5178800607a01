// Whether any live worker's memory holds what a job takes, before it is accepted. Workers tell what
// the leanest plan takes at each size of picture (WorkerStats.needs); where one of them has no
// bound, or has not told, nothing is refused. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/status.h"
#include "common/job/generate_spec.h"
#include "phasor/v1/admin.pb.h"

namespace phasor::gateway {

// Between the sizes that were told it lies on a line; beyond the largest it is that one's. nullopt:
// nothing was told.
std::optional<int64_t> NeedAt(const v1::ModelNeed& need, int64_t pixels, bool guidance);

// `workers`: that report and can run the model. FAILED_PRECONDITION with the numbers: what it needs
// at least, what the largest worker has, the largest picture that would fit; or a strategy that
// none of them can do, and those that they can.
Status CheckMemory(const job::GenerateSpec& spec, int size_multiple,
                   const std::vector<v1::WorkerStats>& workers);

}  // namespace phasor::gateway
