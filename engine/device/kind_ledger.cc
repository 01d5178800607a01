#include "engine/device/kind_ledger.h"

namespace phasor::engine {

void KindLedger::SetCapacity(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  use_.capacity = bytes;
}

void KindLedger::Allocated(uint64_t address, uint64_t bytes, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  Remove(address);  // whose end was not told
  blocks_[address] = {bytes, kind};
  use_.current.of(kind) += bytes;
  if (use_.current.total() > use_.peak.total()) use_.peak = use_.current;
}

void KindLedger::Freed(uint64_t address) {
  const std::lock_guard lock(mutex_);
  Remove(address);
}

// The mutex is held.
void KindLedger::Remove(uint64_t address) {
  const auto found = blocks_.find(address);
  if (found == blocks_.end()) return;
  use_.current.of(found->second.kind) -= found->second.bytes;
  blocks_.erase(found);
}

MemoryUse KindLedger::Use() const {
  const std::lock_guard lock(mutex_);
  return use_;
}

void KindLedger::ResetPeak() {
  const std::lock_guard lock(mutex_);
  use_.peak = use_.current;
}

}  // namespace phasor::engine
