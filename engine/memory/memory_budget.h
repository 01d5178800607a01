// What a device has, and what of it is spoken for. A plain value.
#pragma once

#include <algorithm>
#include <cstdint>

namespace phasor::engine {

struct MemoryBudget {
  uint64_t capacity = 0;  // bytes; 0: no bound
  uint64_t reserved = 0;  // bytes that others hold

  bool Holds(uint64_t bytes) const {
    return capacity == 0 || bytes <= capacity - std::min(reserved, capacity);
  }
};

}  // namespace phasor::engine
