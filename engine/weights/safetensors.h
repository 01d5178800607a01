// Tensors over mapped safetensors files. A tensor keeps its mapping alive; nothing is copied
// unless the bytes are unaligned for their type. The mapping is private and writable, so an
// in-place change stays in this process.
//
// Thread-safe (values). Errors are a Status that names file or tensor.
#pragma once

#include <map>
#include <string>

#include "common/base/status.h"
#include "engine/tensor/torch.h"
#include "engine/weights/weight_files.h"

namespace phasor::engine {

// INVALID_ARGUMENT for the types that LibTorch has no plain form of (F4, F6).
StatusOr<at::Tensor> ViewTensor(const TensorLocation& location);

// Every tensor of one file, by name.
StatusOr<std::map<std::string, at::Tensor>> LoadTensors(const std::string& path);

}  // namespace phasor::engine
