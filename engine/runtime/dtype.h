// The types that networks compute in, by the names of --dtype. Pure functions.
#pragma once

#include <string>

#include "common/base/status.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// INVALID_ARGUMENT lists the names, or says what this processor lacks: where it only converts
// around every operation, fp32 is both faster and closer.
StatusOr<at::ScalarType> ParseDtype(const std::string& name);

}  // namespace phasor::engine
