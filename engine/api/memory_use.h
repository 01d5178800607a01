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
  kHost,         // no memory of the device: not counted
};
// That are counted.
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
  // That its allocator has taken of the device: what is current, and what it keeps for later.
  uint64_t reserved = 0;
  // Of that, what is free in pieces between blocks in use: it can't be given back, and what is
  // larger than a piece finds no room there.
  uint64_t fragmented = 0;

  // That nobody can count on.
  uint64_t taken() const { return current.total() + fragmented; }
};

// What a pass's scratch memory depends on beside its shapes.
struct PassKernels {
  int threads = 1;               // of the processor
  bool plain_attention = false;  // attention keeps the whole matrix of scores
};

// What a phase takes at its peak, in bytes.
struct PassPeak {
  uint64_t resident = 0;  // beside the weights, where they are all on the device
  uint64_t streamed = 0;  // with the weights of one layer at a time
};

// Where weights are while layers compute with them.
enum class Placement {
  kResident,  // on the device
  kStreamed,  // on the device one layer at a time, brought in when the layer asks
  kAhead,     // the same, brought in before it asks; as many layers stay as there is room for
  kOnHost,    // on the host, which computes with them
  kAbsent,    // on the host alone; a layer that asks is an error
};

// What the large weights of a model are stored as. A layer's are made values of when it computes,
// and are so no longer than that; the small ones that carry more than they weigh stay as they are.
enum class WeightForm {
  kPlain,  // as they compute
  kFp8,    // FP8_OPTIMIZED: e4m3, 8.5 bits a value with its scale
  kNf4,    // NF4_QUANTIZED: 4.5 bits in linear layers, FP8 in convolutions
};
inline constexpr size_t kWeightForms = 3;

}  // namespace phasor::engine
