// What memory of a device is used for, in bytes. Plain values; no LibTorch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace phasor::engine {

enum class MemoryKind {
  kWeights,
  kActivations,  // whatever an operation allocates, its library's scratch memory included
  kWorkspace,    // on the way from one form of a weight to another
};
inline constexpr size_t kMemoryKinds = 3;

struct BytesByKind {
  std::array<uint64_t, kMemoryKinds> bytes = {};
  uint64_t& of(MemoryKind kind) { return bytes[static_cast<size_t>(kind)]; }
  uint64_t of(MemoryKind kind) const { return bytes[static_cast<size_t>(kind)]; }
  uint64_t total() const { return std::accumulate(bytes.begin(), bytes.end(), uint64_t{0}); }
};

struct MemoryUse {
  uint64_t capacity = 0;  // 0: no bound is known
  BytesByKind current;
  BytesByKind peak;  // as it stood when the total was highest since the last reset
};

}  // namespace phasor::engine
