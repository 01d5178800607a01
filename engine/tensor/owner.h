// Whether a tensor's memory may be written to by who holds it.
#pragma once

#include "engine/tensor/torch.h"

namespace phasor::engine {

// No other handle and no view has this memory.
inline bool HasOneOwner(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1;
}

}  // namespace phasor::engine
