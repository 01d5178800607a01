// Between LibTorch's tensors and a checkpoint's. Stateless.
#pragma once

#include <string>

#include "common/base/status.h"
#include "engine/checkpoint/checkpoint.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// A copy of the values. Throws c10::Error on a dtype that checkpoints do not carry.
CheckpointTensor ToCheckpoint(const at::Tensor& tensor);

// A new tensor.
at::Tensor FromCheckpoint(const CheckpointTensor& tensor);

// DATA_LOSS when the name is absent.
StatusOr<const CheckpointTensor*> FindTensor(const Checkpoint& checkpoint, const std::string& name);

}  // namespace phasor::engine
