// What LibTorch, oneDNN, MKL and libm choose their kernels by on this machine. Two processes with
// equal texts run the same kernels, so this is part of every fingerprint; a setting that changes
// nothing (an instruction set that is the best anyway) leaves the text as it is.
// Thread-safe (no state).
#pragma once

#include <string>
#include <string_view>

#include "engine/tensor/torch.h"

namespace phasor::engine {

// For people and for fingerprints, one line: vendor, family and model, sizes of the data caches
// (which kernels cut their work by), and the instruction set as each library sees it. Settings are
// those of the environment at the process's start.
// For types shorter than fp32 it names more: what the processor has for them, and the limit that
// is set.
std::string DescribeProcessor(at::ScalarType dtype = at::kFloat);

// Whether the processor multiplies in this type, rather than converting around every operation.
bool Multiplies(at::ScalarType dtype);

// oneDNN's instruction set for fp32: the processor's, unless ONEDNN_MAX_CPU_ISA (`limit`, empty if
// not set) names a lower one. Both out of sse41, avx, avx2, avx512_core or "none"; finer names
// (avx512_core_amx) differ for other types only. oneDNN takes no notice of a name it doesn't know.
std::string_view OneDnnLevel(std::string_view hardware, std::string_view limit);

}  // namespace phasor::engine
