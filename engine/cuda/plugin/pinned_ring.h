// Host memory that the card reads by itself, in a few slots of one size: what is copied to the card
// goes through them piece by piece. Mapped and then registered, to the byte: LibTorch's own pinned
// allocator rounds up to powers of two.
//
// One thread. Throws c10::Error.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

namespace phasor::engine {

class PinnedRing {
 public:
  PinnedRing();
  ~PinnedRing();
  PinnedRing(const PinnedRing&) = delete;
  PinnedRing& operator=(const PinnedRing&) = delete;

  // Asks `stream` to copy; `from` has been read when this returns.
  void Copy(void* to, const void* from, size_t bytes, cudaStream_t stream);

 private:
  struct Slot {
    void* data = nullptr;
    cudaEvent_t read = nullptr;  // when the card is done with it
  };

  void* memory_ = nullptr;
  std::vector<Slot> slots_;
  size_t next_ = 0;
};

}  // namespace phasor::engine
