// Where the engine computes. "cpu" is this machine's processor and memory. "sim" computes with the
// same kernels, so to the same bits, but as if its memory were a card's: of a given size, apart
// from the host's.
//
// One thread owns a device. Memory is counted for the process (counted_memory.h), so a simulated
// device's capacity holds for every allocation of LibTorch while it lives, and there is one at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/status.h"
#include "engine/api/memory_use.h"

namespace phasor::engine {

// Whether a device computes with the host's memory where it lies.
enum class HostMemory { kShared, kApart };

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;
  virtual HostMemory host_memory() const = 0;
  virtual MemoryUse Memory() const = 0;
  // The peak is what is in use from now on.
  virtual void ResetPeak() = 0;
  // Gives back what allocators keep for later.
  virtual void EmptyCaches() = 0;
};

// "cpu" or "sim" with `vram_bytes` of memory, 0 for as much as it asks for. INVALID_ARGUMENT for
// another name, or for a memory size given to "cpu"; FAILED_PRECONDITION for a second "sim".
StatusOr<std::unique_ptr<Device>> MakeDevice(const std::string& name, uint64_t vram_bytes);

}  // namespace phasor::engine
