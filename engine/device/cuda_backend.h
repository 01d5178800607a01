// What of CUDA the engine needs beside LibTorch's operators. The plug-in libphasor_cuda.so
// (engine/cuda/plugin) has it; nothing else is compiled with CUDA's headers. The two are built from
// one source tree, and kCudaBackendVersion is raised with every change here.
//
// One thread, the device's; Copy is called on another, one call at a time. Everything throws
// c10::Error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/tensor/torch.h"

namespace phasor::engine {

inline constexpr int kCudaBackendVersion = 2;

// Told by LibTorch's allocator, on the thread that allocates, with its lock held.
class AllocationListener {
 public:
  virtual ~AllocationListener() = default;
  virtual void Allocated(uint64_t address, uint64_t bytes) = 0;
  virtual void Freed(uint64_t address) = 0;
};

// A point in what a stream of the card has to do.
class CudaMoment {
 public:
  virtual ~CudaMoment() = default;
};

// What LibTorch's allocator has taken of the card, in bytes.
struct CudaPool {
  uint64_t reserved = 0;
  uint64_t fragmented = 0;  // free, in segments that have blocks in use as well
};

class CudaBackend {
 public:
  virtual ~CudaBackend() = default;

  // To be called first, once: makes the card this thread's and bounds what LibTorch takes of its
  // memory (0: by what is free). Gives the bound. `listener` outlives everything.
  virtual uint64_t Open(int index, uint64_t cap_bytes, AllocationListener* listener) = 0;

  // When all is done that has been asked of the card so far.
  virtual std::shared_ptr<CudaMoment> Now() = 0;
  // Copies `from` of the host into `to` beside what is computed, not before `begin`, converting
  // there. `from` has been read when it returns; the moment is when `to` has been written.
  virtual std::shared_ptr<CudaMoment> Copy(const at::Tensor& to, const at::Tensor& from,
                                           const CudaMoment& begin) = 0;
  // What is asked of the card from now on is done after `moment`; the host goes on.
  virtual void Await(const CudaMoment& moment) = 0;

  virtual CudaPool Pool() = 0;
  // Gives back what the allocator keeps for later.
  virtual void EmptyCaches() = 0;
  // Waits until the card has done everything.
  virtual void Synchronize() = 0;
  // "CUDA 13.0, cuDNN 9.19.0": part of fingerprints.
  virtual std::string Versions() = 0;
};

// What the plug-in exports: the backend, or null for another version than its own.
inline constexpr char kCudaBackendFunction[] = "phasor_cuda_backend";
using MakeCudaBackend = CudaBackend* (*)(int version);

}  // namespace phasor::engine
