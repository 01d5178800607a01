// The memory that LibTorch allocates on the CPU, counted to the byte by kind, with a capacity on
// request. Tensors, oneDNN's scratch memory and packed weights come from here; mapped files, MKL's
// buffers and what the program allocates itself do not.
//
// LibTorch has one CPU allocator for the process, so there is one of these for the process, and
// once it is in place it stays: blocks of oneDNN are freed by whichever allocator is registered.
// Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>

#include <c10/core/Allocator.h>

#include "engine/api/memory_use.h"

namespace phasor::engine {

// The error that a failed allocation arrives as. cuDNN and cuBLAS report theirs as generic errors
// of LibTorch, with their status in the text.
enum class AllocationFailure { kOutOfMemory, kCudnn, kCublas };

class CountedMemory final : public c10::Allocator {
 public:
  // Becomes LibTorch's CPU allocator with the first call.
  static CountedMemory& Get();

  MemoryUse Use() const;
  // The peak is what is in use from now on.
  void ResetPeak();

  // An allocation that leads beyond it throws c10::OutOfMemoryError and changes nothing. 0: none.
  void SetCapacity(uint64_t bytes);
  // Makes the n-th allocation from now fail, once. n = 1 is the next, 0 takes the request back.
  void FailAllocation(uint64_t n, AllocationFailure failure);
  // Makes about one in so many allocations fail, at random, with each of the errors in turn. 0:
  // none.
  void FailAtRandom(uint64_t one_in);

  // Of the calling thread's allocations, until the next call; returns the kind from before.
  static MemoryKind SetKind(MemoryKind kind);
  static MemoryKind kind();

  at::DataPtr allocate(size_t bytes) override;
  at::DeleterFnPtr raw_deleter() const override;
  void copy_data(void* to, const void* from, size_t bytes) const override;

 private:
  CountedMemory() = default;
  void Add(uint64_t bytes, MemoryKind kind);
  void Subtract(uint64_t bytes, MemoryKind kind);
  void FailIfDue();
  static void Delete(void* data);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  MemoryUse use_;
  uint64_t until_failure_ = 0;  // allocations; 0: none is to fail
  AllocationFailure failure_ = AllocationFailure::kOutOfMemory;
  uint64_t one_in_ = 0;
  uint64_t random_ = 1;
  int random_failures_ = 0;
};

// Names the kind of what the calling thread allocates while it lives.
class MemoryScope {
 public:
  explicit MemoryScope(MemoryKind kind) : before_(CountedMemory::SetKind(kind)) {}
  ~MemoryScope() { CountedMemory::SetKind(before_); }
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  const MemoryKind before_;
};

}  // namespace phasor::engine
