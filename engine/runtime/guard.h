// The engine's edge: LibTorch throws, the layers above speak Status. Every call from outside into
// tensor code goes through Guard, which also turns autograd's bookkeeping off.
// Thread-safe (no state).
#pragma once

#include <utility>

#include "common/base/status.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// The exception in flight as a Status: out of memory is RESOURCE_EXHAUSTED; an error that leaves
// the card lost has that mark (engine/api/device_lost.h); a refused value, type
// or index INVALID_ARGUMENT; anything else INTERNAL, with the original text. To be called inside a
// catch block only.
Status StatusOfException();

// Runs `body`, which returns a Status or a StatusOr.
template <typename Body>
auto Guard(Body&& body) -> decltype(body()) {
  try {
    const c10::InferenceMode no_autograd;
    return std::forward<Body>(body)();
  } catch (...) {
    return StatusOfException();
  }
}

}  // namespace phasor::engine
