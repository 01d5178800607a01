// Whether a tensor holds numbers only: what a network makes of a broken weight or of settings that
// overflow is well-formed everywhere else, and would end as a black picture.
#pragma once

#include "engine/tensor/torch.h"

namespace phasor::engine {

// False if any value is infinite or not a number. fp32 on the CPU in any order (other types are
// converted first); reads each value once. Waits for a card. Thread-safe; throws what LibTorch
// throws.
bool AllFinite(const at::Tensor& tensor);

}  // namespace phasor::engine
