// Where the engine computes. "cpu" is this machine's processor and memory. "sim" computes with the
// same kernels, so to the same bits, but as if its memory were a card's: of a given size, apart
// from the host's. "cuda:N" is a card, through LibTorch's own CUDA operators.
//
// One thread owns a device; copies go on beside it. Memory is counted for the process
// (counted_memory.h), so a simulated device's capacity holds for every allocation of LibTorch while
// it lives, and there is one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/status.h"
#include "engine/api/memory_use.h"
#include "engine/cuda/gpu.h"
#include "engine/memory/library_allowance.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// Whether a device computes with the host's memory where it lies.
enum class HostMemory { kShared, kApart };

// A copy under way. Keeps both its tensors and awaits, so it may be dropped at any time.
class Fence {
 public:
  virtual ~Fence() = default;
  // What is computed from now on sees the copy; on a card the host does not wait for that. Throws
  // what the copy threw. Again: nothing happens.
  virtual void Await() = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;
  // Whose kernels give the bits, which is what a fingerprint has to tell: a simulated device's are
  // the CPU's.
  virtual std::string_view kernels() const { return "cpu"; }
  // What those kernels depend on beside the processor; empty: nothing.
  virtual std::string Description() const { return ""; }
  // The card that it is; null: it is none.
  virtual const Gpu* card() const { return nullptr; }
  // Where its tensors are, as LibTorch sees it: a simulated one's are on the CPU.
  virtual at::Device place() const = 0;
  virtual HostMemory host_memory() const = 0;
  // Copies `from`, which is on the host and which nobody writes to, into `to`, which is on this
  // device and which nobody uses until the fence is awaited, converting where the types differ.
  // Goes on beside what is computed; copies are done one after the other. Fences must not outlive
  // their device.
  virtual std::unique_ptr<Fence> CopyAsync(at::Tensor to, at::Tensor from) = 0;
  virtual MemoryUse Memory() const = 0;
  // What its libraries may take beside tensors, for plans.
  virtual LibraryAllowance libraries() const { return {}; }
  // The peak is what is in use from now on.
  virtual void ResetPeak() = 0;
  // Gives back what allocators keep for later.
  virtual void EmptyCaches() = 0;
};

// "cpu", or "sim" or "cuda:N" with `vram_bytes` of memory, 0 for as much as it asks for or has
// free. INVALID_ARGUMENT for another name, or for a memory size given to "cpu"; FAILED_PRECONDITION
// for a second "sim"; NOT_FOUND or FAILED_PRECONDITION say what a card lacks here: the driver, a
// newer one, the card, the plug-in. A card is to be asked for before anything else is of LibTorch.
// Throws what LibTorch throws where a card can't be opened. `library_bytes`: what plans leave to a
// device's libraries, in place of what these are told on a card, and of nothing elsewhere.
StatusOr<std::unique_ptr<Device>> MakeDevice(const std::string& name, uint64_t vram_bytes,
                                             std::optional<uint64_t> library_bytes = std::nullopt);

}  // namespace phasor::engine
