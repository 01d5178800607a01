// What packing takes. Thread-safe.
#pragma once

#include <cstdint>

#include "engine/tensor/torch.h"

namespace phasor::engine {

// How many values oneDNN's packed form of a convolution's weights [out, in, k, k] has at most. It
// pads the output channels to blocks, whose size depends on the processor and hardly on the map's;
// so oneDNN itself is asked, once for each number of them, by packing weights of few inputs and
// counting. Throws what LibTorch throws.
int64_t PackedValues(at::IntArrayRef shape, at::ScalarType dtype);

}  // namespace phasor::engine
