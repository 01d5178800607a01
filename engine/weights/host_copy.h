// From the host's side of a weight to a device's. Throws what LibTorch throws.
#pragma once

#include "engine/tensor/torch.h"

namespace phasor::engine {

// A new tensor of the host's type and shape on `place`, to be copied into. On the CPU it lies as
// far from a multiple of 64 as the original: MKL's products depend on it, and a simulated device is
// to give the bits of the CPU, which computes with mapped files where they lie.
at::Tensor RoomFor(const at::Tensor& host, at::Device place);

// The pages of a mapped file leave the process's memory, until they are read again. Whole pages
// only: their neighbours are other weights'.
void LeavePages(const at::Tensor& mapped);

}  // namespace phasor::engine
