// The types that networks compute in, by the names of --dtype. Pure functions.
#pragma once

#include <string>

#include "common/base/status.h"
#include "engine/cuda/gpu.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

struct Dtype {
  std::string name;
  at::ScalarType type = at::kFloat;
};

// INVALID_ARGUMENT lists the names, or says what this processor lacks: where it only converts
// around every operation, fp32 is both faster and closer. "auto" is fp32.
StatusOr<Dtype> ParseDtype(const std::string& name);
// The same of a card (gpu_policy.h).
StatusOr<Dtype> ParseDtype(const std::string& name, const Gpu& card);

}  // namespace phasor::engine
