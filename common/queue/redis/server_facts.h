// What a Redis says about itself in INFO, and whether a queue can stand on it. Pure functions.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/queue/foundation.h"

namespace phasor::queue {

// The value of "name:value" in a reply of INFO; "" if there is none.
std::string InfoField(const std::string& info, const std::string& name);

// FAILED_PRECONDITION: too old. UNAVAILABLE: it loads its data, or is a replica for now.
StatusOr<Footing> JudgeServer(const std::string& info);

}  // namespace phasor::queue
