// Small values that are made on the host, brought to where a network computes.
#pragma once

#include "engine/tensor/torch.h"

namespace phasor::engine {

// `host` on `place`, in its own type, without waiting for a card: what is not pinned is staged
// before the call returns. A tensor that is there already is given back as it is.
inline at::Tensor Beside(const at::Tensor& host, at::Device place) {
  return host.to(host.options().device(place), /*non_blocking=*/true);
}

}  // namespace phasor::engine
