#include "engine/cuda/cuda_error.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(CudaErrorTest, TellsNoRoomFromALostCardAndFromWhatIsOfOneCall) {
  const struct {
    int code;
    const char* text;
    CudaError is;
  } cases[] = {
      {2, "CUDA error: out of memory", CudaError::kMemory},
      {0, "CUDA error: out of memory", CudaError::kMemory},
      {0, "cuDNN error: CUDNN_STATUS_ALLOC_FAILED", CudaError::kMemory},
      {0, "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
       CudaError::kMemory},
      {0, "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", CudaError::kMemory},
      {700, "", CudaError::kLost},
      {0, "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be",
       CudaError::kLost},
      {0, "CUDA error: unspecified launch failure", CudaError::kLost},
      {0, "CUDA error: uncorrectable ECC error encountered", CudaError::kLost},
      {0, "CUDA error: device-side assert triggered", CudaError::kLost},
      // What the next call then says tells whether the card is lost.
      {0, "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling", CudaError::kOther},
      {0, "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", CudaError::kNone},
      {0, "CUDA error: invalid argument", CudaError::kOther},
      {1, "", CudaError::kOther},
      {0, "mat1 and mat2 shapes cannot be multiplied", CudaError::kNone},
      {0, "an index: unknown error", CudaError::kNone},
  };
  for (const auto& [code, text, is] : cases) {
    EXPECT_EQ(ClassifyCudaError(code, text), is) << code << " " << text;
  }
}

}  // namespace
}  // namespace phasor::engine
