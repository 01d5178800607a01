// What CUDA's libraries take of a card's memory beside the tensors of a pass. An allowance: what
// they are told they may take, which nobody has measured on a card. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/api/unit_kind.h"

namespace phasor::engine {

// cuBLAS's workspace, ":KIB:PIECES" again and again (NVIDIA's cuBLAS documentation, "Results
// Reproducibility"); with this one results don't change from call to call.
inline constexpr char kCublasVariable[] = "CUBLAS_WORKSPACE_CONFIG";
inline constexpr char kCublasWorkspace[] = ":4096:8";
// The most that a convolution of cuDNN's may ask for, in MiB (LibTorch's documentation, "CUDA
// Environment Variables"). Without it a decoder's convolutions take what their fastest kernel
// wants.
inline constexpr char kCudnnVariable[] = "CUDNN_CONV_WSCAP_DBG";
inline constexpr char kCudnnWorkspace[] = "256";

struct LibraryAllowance {
  uint64_t products = 0;      // for as long as the process lives
  uint64_t convolutions = 0;  // while one computes

  // The text encoder has no convolutions.
  uint64_t Of(UnitKind phase) const {
    return products + (phase == UnitKind::kEncode ? 0 : convolutions);
  }
};

// What the two variables say; one that can't be read counts as the value above. LibTorch gives
// cuBLASLt a workspace of the same size as cuBLAS's.
LibraryAllowance AllowanceOf(std::string_view cublas, std::string_view cudnn_mib);

}  // namespace phasor::engine
