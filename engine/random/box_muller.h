// Pairs of uniform values turned into normal ones, with the bits that LibTorch gives on processors
// with AVX2 and FMA: its vector functions (ATen/native/cpu/avx_mathfun.h, after Cephes) value by
// value. LibTorch itself has another form for older processors. Pure, thread-safe.
#pragma once

#include <cstdint>

namespace phasor::engine {

inline constexpr int64_t kNormalGroup = 16;

// `data` is a group of uniform values in [0, 1): the first half becomes radius * cos(angle), the
// second radius * sin(angle), the radius from the first value of a pair, the angle from the other.
void BoxMuller(float* data);

}  // namespace phasor::engine
