// Loops of our own where LibTorch would take several passes over memory. fp32 on the CPU, compiled
// for several instruction sets with the best one picked at run time.
//
// Work is cut into pieces whose size depends on the shape alone and partial results are added in
// order, so the bits do not depend on the number of threads. Thread-safe (no state); they
// parallelise over LibTorch's threads.
#pragma once

#include <cstdint>

namespace phasor::engine {

struct GroupNormShape {
  int64_t batch = 0;
  int64_t pixels = 0;
  int64_t channels = 0;
  int64_t groups = 0;
};

// y = norm(x) * weight + bias, then y = y * sigmoid(y) with `silu`. x and y are channels-last,
// [batch, pixels, channels]; they may be the same memory.
void GroupNormNhwc(const float* x, float* y, const GroupNormShape& shape, const float* weight,
                   const float* bias, double eps, bool silu);

}  // namespace phasor::engine
