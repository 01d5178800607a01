// The blocks of a card's memory that LibTorch has given out, by kind, for an allocator that only
// tells of addresses. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "engine/api/memory_use.h"

namespace phasor::engine {

class KindLedger {
 public:
  explicit KindLedger(uint64_t capacity = 0) { use_.capacity = capacity; }

  void SetCapacity(uint64_t bytes);
  void Allocated(uint64_t address, uint64_t bytes, MemoryKind kind);
  // Of a block that was given out before the ledger began: nothing.
  void Freed(uint64_t address);

  MemoryUse Use() const;
  // The peak is what is in use from now on.
  void ResetPeak();

 private:
  struct Block {
    uint64_t bytes = 0;
    MemoryKind kind = MemoryKind::kActivations;
  };
  void Remove(uint64_t address);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  MemoryUse use_;
  std::unordered_map<uint64_t, Block> blocks_;
};

}  // namespace phasor::engine
