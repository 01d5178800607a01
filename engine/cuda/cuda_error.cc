#include "engine/cuda/cuda_error.h"

#include <algorithm>
#include <iterator>

namespace phasor::engine {
namespace {

struct Known {
  int code;
  std::string_view text;  // as cudaGetErrorString has it
};

// Those after which the CUDA runtime's documentation says that the process must be ended, or that
// leave a card that can't be used.
constexpr Known kLost[] = {
    {46, "all CUDA-capable devices are busy or unavailable"},
    {214, "uncorrectable ECC error encountered"},
    {220, "uncorrectable NVLink error detected during the execution"},
    {226, "Invalid access of peer GPU memory over nvlink or a hardware error"},
    {700, "an illegal memory access was encountered"},
    {702, "the launch timed out and was terminated"},
    {710, "device-side assert triggered"},
    {714, "hardware stack error"},
    {715, "an illegal instruction was encountered"},
    {716, "misaligned address"},
    {717, "operation not supported on global/shared address space"},
    {718, "invalid program counter"},
    {719, "unspecified launch failure"},
    {721, "Tensor Memory not completely freed"},
    {999, "unknown error"},
};

constexpr int kMemoryAllocation = 2;
constexpr std::string_view kNoRoom[] = {
    "CUDA error: out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
};

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

CudaError ClassifyCudaError(int code, std::string_view text) {
  const auto has = [&](std::string_view part) { return Has(text, part); };
  if (code == kMemoryAllocation || std::any_of(std::begin(kNoRoom), std::end(kNoRoom), has)) {
    return CudaError::kMemory;
  }
  const bool of_cuda = code != 0 || Has(text, "CUDA error: ");
  for (const Known& known : kLost) {
    if (code == known.code || (of_cuda && has(known.text))) return CudaError::kLost;
  }
  return of_cuda ? CudaError::kOther : CudaError::kNone;
}

}  // namespace phasor::engine
