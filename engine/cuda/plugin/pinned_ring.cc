#include "engine/cuda/plugin/pinned_ring.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include <c10/cuda/CUDAException.h>

namespace phasor::engine {
namespace {

constexpr size_t kSlotBytes = size_t{32} << 20;
constexpr size_t kSlots = 3;  // one is filled while one is read and one is on its way

}  // namespace

PinnedRing::PinnedRing() {
  void* const memory = ::mmap(nullptr, kSlots * kSlotBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  TORCH_CHECK(memory != MAP_FAILED, "can't map ", kSlots * kSlotBytes, " bytes for copies");
  const cudaError_t registered =
      cudaHostRegister(memory, kSlots * kSlotBytes, cudaHostRegisterPortable);
  if (registered != cudaSuccess) ::munmap(memory, kSlots * kSlotBytes);
  C10_CUDA_CHECK(registered);
  memory_ = memory;
  for (size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots_.emplace_back();
    slot.data = static_cast<char*>(memory_) + i * kSlotBytes;
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&slot.read, cudaEventDisableTiming));
  }
}

PinnedRing::~PinnedRing() {
  // Of a lost card nothing of this succeeds, and nothing needs to.
  for (const Slot& slot : slots_) {
    C10_CUDA_CHECK_WARN(cudaEventSynchronize(slot.read));
    C10_CUDA_CHECK_WARN(cudaEventDestroy(slot.read));
  }
  C10_CUDA_CHECK_WARN(cudaHostUnregister(memory_));
  ::munmap(memory_, kSlots * kSlotBytes);
}

void PinnedRing::Copy(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  for (size_t done = 0; done < bytes; done += kSlotBytes) {
    const Slot& slot = slots_[next_];
    next_ = (next_ + 1) % slots_.size();
    C10_CUDA_CHECK(cudaEventSynchronize(slot.read));  // an event that was never recorded is done
    const size_t piece = std::min(kSlotBytes, bytes - done);
    std::memcpy(slot.data, static_cast<const char*>(from) + done, piece);
    C10_CUDA_CHECK(cudaMemcpyAsync(static_cast<char*>(to) + done, slot.data, piece,
                                   cudaMemcpyHostToDevice, stream));
    C10_CUDA_CHECK(cudaEventRecord(slot.read, stream));
  }
}

}  // namespace phasor::engine
