#include "engine/runtime/checkpoint_tensors.h"

#include <cstring>

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

namespace phasor::engine {
namespace {

struct DtypePair {
  CheckpointDtype file;
  at::ScalarType tensor;
};

constexpr DtypePair kDtypes[] = {
    {CheckpointDtype::kU8, at::kByte},       {CheckpointDtype::kF16, at::kHalf},
    {CheckpointDtype::kBF16, at::kBFloat16}, {CheckpointDtype::kF32, at::kFloat},
    {CheckpointDtype::kF64, at::kDouble},    {CheckpointDtype::kI64, at::kLong},
};

CheckpointDtype FileDtype(at::ScalarType dtype) {
  for (const DtypePair& pair : kDtypes) {
    if (pair.tensor == dtype) return pair.file;
  }
  TORCH_CHECK(false, "a checkpoint does not carry tensors of ", dtype);
}

at::ScalarType TensorDtype(CheckpointDtype dtype) {
  for (const DtypePair& pair : kDtypes) {
    if (pair.file == dtype) return pair.tensor;
  }
  TORCH_CHECK(false, "unknown checkpoint dtype");
}

}  // namespace

CheckpointTensor ToCheckpoint(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kCPU).contiguous();
  return {FileDtype(plain.scalar_type()), plain.sizes().vec(),
          std::string(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes())};
}

at::Tensor FromCheckpoint(const CheckpointTensor& tensor) {
  at::Tensor result = at::empty(tensor.shape, TensorDtype(tensor.dtype));
  TORCH_CHECK(result.nbytes() == tensor.bytes.size(), "shape and bytes disagree");
  std::memcpy(result.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  return result;
}

StatusOr<const CheckpointTensor*> FindTensor(const Checkpoint& checkpoint,
                                             const std::string& name) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end()) return DataLoss("checkpoint: no tensor " + name);
  return &found->second;
}

}  // namespace phasor::engine
