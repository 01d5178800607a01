// What an error of CUDA's means for the process that got it. Pure.
#pragma once

#include <string_view>

namespace phasor::engine {

enum class CudaError {
  kNone,    // no error of CUDA's
  kMemory,  // there was no room: the unit may be done again, leaner
  kLost,    // sticky: nothing that this process does with the card will work again
  kOther    // of this call alone
};

// By CUDA's number where it is known (cudaError_t), else by LibTorch's text; 0: not known.
CudaError ClassifyCudaError(int code, std::string_view text);

}  // namespace phasor::engine
