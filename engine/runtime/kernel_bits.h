// A look at the bits that the libraries' kernels give here: a digest of a few products,
// convolutions, norms and functions of fixed inputs, of the shapes that networks have. It tells
// kernels apart that go by one name, as those of two vendors for one instruction set, and settings
// that nobody has listed. Part of every fingerprint, beside the names (engine/runtime/processor.h),
// for no sample shows all that may differ.
#pragma once

#include <string>

namespace phasor::engine {

// 16 hex digits. Takes some milliseconds; to be called once, with the threads that runs will have.
// Throws what LibTorch throws.
std::string KernelBits();

}  // namespace phasor::engine
