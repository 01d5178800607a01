#include "engine/device/counted_memory.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include "common/base/byte_size.h"

namespace phasor::engine {
namespace {

// Above LibTorch's own, which has 0.
constexpr uint8_t kPriority = 255;

// Before each block; as wide as the alignment that LibTorch's kernels count on.
struct alignas(64) Header {
  uint64_t bytes = 0;
  MemoryKind kind = MemoryKind::kActivations;
};

thread_local MemoryKind kind_of_thread = MemoryKind::kActivations;

[[noreturn]] void Throw(AllocationFailure failure) {
  switch (failure) {
    case AllocationFailure::kCudnn:
      TORCH_CHECK(false, "cuDNN error: CUDNN_STATUS_ALLOC_FAILED");
    case AllocationFailure::kCublas:
      TORCH_CHECK(false,
                  "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`");
    case AllocationFailure::kOutOfMemory:
      break;
  }
  TORCH_CHECK_WITH(OutOfMemoryError, false, "this allocation was to fail");
}

}  // namespace

CountedMemory& CountedMemory::Get() {
  // Never freed: tensors may outlive everything else.
  static CountedMemory* const memory = [] {
    auto* made = new CountedMemory;
    c10::SetCPUAllocator(made, kPriority);
    return made;
  }();
  return *memory;
}

MemoryUse CountedMemory::Use() const {
  const std::lock_guard lock(mutex_);
  MemoryUse use = use_;
  use.reserved = use.current.total();  // nothing is kept for later
  return use;
}

void CountedMemory::ResetPeak() {
  const std::lock_guard lock(mutex_);
  use_.peak = use_.current;
}

void CountedMemory::SetCapacity(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  use_.capacity = bytes;
}

void CountedMemory::FailAllocation(uint64_t n, AllocationFailure failure) {
  const std::lock_guard lock(mutex_);
  until_failure_ = n;
  failure_ = failure;
}

void CountedMemory::FailAtRandom(uint64_t one_in) {
  const std::lock_guard lock(mutex_);
  one_in_ = one_in;
}

// The mutex is held.
void CountedMemory::FailIfDue() {
  if (until_failure_ > 0 && --until_failure_ == 0) Throw(failure_);
  if (one_in_ == 0) return;
  // Knuth's generator: any will do, and the same run fails the same way.
  random_ = random_ * 6364136223846793005u + 1442695040888963407u;
  if ((random_ >> 33) % one_in_ != 0) return;
  constexpr AllocationFailure kFailures[] = {AllocationFailure::kOutOfMemory,
                                             AllocationFailure::kCudnn, AllocationFailure::kCublas};
  Throw(kFailures[random_failures_++ % std::size(kFailures)]);
}

MemoryKind CountedMemory::SetKind(MemoryKind kind) { return std::exchange(kind_of_thread, kind); }

MemoryKind CountedMemory::kind() { return kind_of_thread; }

void CountedMemory::Add(uint64_t bytes, MemoryKind kind) {
  if (kind == MemoryKind::kHost) return;
  const std::lock_guard lock(mutex_);
  FailIfDue();
  const uint64_t used = use_.current.total();
  if (use_.capacity > 0 && (bytes > use_.capacity || used > use_.capacity - bytes)) {
    const uint64_t free = use_.capacity - std::min(used, use_.capacity);
    TORCH_CHECK_WITH(OutOfMemoryError, false, "the simulated device has ", ByteSizeText(free),
                     " of ", ByteSizeText(use_.capacity), " free, ", ByteSizeText(bytes),
                     " were asked for");
  }
  use_.current.of(kind) += bytes;
  if (used + bytes > use_.peak.total()) use_.peak = use_.current;
}

void CountedMemory::Subtract(uint64_t bytes, MemoryKind kind) {
  if (kind == MemoryKind::kHost) return;
  const std::lock_guard lock(mutex_);
  use_.current.of(kind) -= bytes;
}

at::DataPtr CountedMemory::allocate(size_t bytes) {
  if (bytes == 0) return {nullptr, nullptr, &Delete, at::Device(at::kCPU)};
  const MemoryKind kind = kind_of_thread;
  Add(bytes, kind);
  void* block = nullptr;
  try {
    constexpr size_t kMost = std::numeric_limits<size_t>::max() - sizeof(Header);
    if (bytes > kMost) throw std::bad_alloc();
    block = c10::alloc_cpu(bytes + sizeof(Header));
  } catch (...) {
    Subtract(bytes, kind);
    throw;
  }
  void* const data = new (block) Header{bytes, kind} + 1;
  // The data is its own context: raw_allocate, which oneDNN's memory comes through, asks for it.
  return {data, data, &Delete, at::Device(at::kCPU)};
}

void CountedMemory::Delete(void* data) {
  if (data == nullptr) return;
  Header* const header = static_cast<Header*>(data) - 1;
  Get().Subtract(header->bytes, header->kind);
  c10::free_cpu(header);
}

at::DeleterFnPtr CountedMemory::raw_deleter() const { return &Delete; }

void CountedMemory::copy_data(void* to, const void* from, size_t bytes) const {
  default_copy_data(to, from, bytes);
}

}  // namespace phasor::engine
