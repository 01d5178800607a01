// What a device has, and what of it is spoken for. A plain value.
#pragma once

#include <algorithm>
#include <cstdint>

namespace phasor::engine {

// Between these lies the size of any device that a program may be told of.
inline constexpr uint64_t kLeastDeviceBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMostDeviceBytes = uint64_t{1} << 50;

struct MemoryBudget {
  uint64_t capacity = 0;    // bytes; 0: no bound
  uint64_t reserved = 0;    // bytes that others hold, or that are free only in pieces
  uint64_t fragmented = 0;  // of these the latter

  bool Holds(uint64_t bytes) const {
    return capacity == 0 || bytes <= capacity - std::min(reserved, capacity);
  }
};

}  // namespace phasor::engine
