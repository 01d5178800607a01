// A device on a card, with the plug-in's backend or a test's. See device.h.
#pragma once

#include <memory>

#include "common/base/status.h"
#include "engine/cuda/gpu.h"
#include "engine/device/cuda_backend.h"
#include "engine/device/device.h"

namespace phasor::engine {

// `cap_bytes` bounds what this process takes of the card's memory; 0: what is free. Throws what
// LibTorch throws where the card can't be opened.
std::unique_ptr<Device> MakeCudaDevice(const Gpu& gpu, uint64_t cap_bytes,
                                       std::unique_ptr<CudaBackend> backend,
                                       const LibraryAllowance& libraries = {});

// Loads LibTorch's CUDA side and the plug-in. To be called before anything asks LibTorch whether
// there is CUDA: it remembers a no. NOT_FOUND or FAILED_PRECONDITION names the file and the reason.
StatusOr<std::unique_ptr<CudaBackend>> LoadCudaBackend();

// What the libraries have been told by then, by us or by the process's environment.
LibraryAllowance CudaLibraries();

}  // namespace phasor::engine
