#include "engine/weights/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace phasor::engine {
namespace {

std::optional<at::ScalarType> ScalarTypeOf(SafetensorsType type) {
  switch (type) {
    case SafetensorsType::kBool:
      return at::kBool;
    case SafetensorsType::kU8:
      return at::kByte;
    case SafetensorsType::kI8:
      return at::kChar;
    case SafetensorsType::kF8E5M2:
      return at::kFloat8_e5m2;
    case SafetensorsType::kF8E4M3:
      return at::kFloat8_e4m3fn;
    case SafetensorsType::kF8E8M0:
      return at::kFloat8_e8m0fnu;
    case SafetensorsType::kF8E4M3Fnuz:
      return at::kFloat8_e4m3fnuz;
    case SafetensorsType::kF8E5M2Fnuz:
      return at::kFloat8_e5m2fnuz;
    case SafetensorsType::kI16:
      return at::kShort;
    case SafetensorsType::kU16:
      return at::kUInt16;
    case SafetensorsType::kF16:
      return at::kHalf;
    case SafetensorsType::kBF16:
      return at::kBFloat16;
    case SafetensorsType::kI32:
      return at::kInt;
    case SafetensorsType::kU32:
      return at::kUInt32;
    case SafetensorsType::kF32:
      return at::kFloat;
    case SafetensorsType::kC64:
      return at::kComplexFloat;
    case SafetensorsType::kF64:
      return at::kDouble;
    case SafetensorsType::kI64:
      return at::kLong;
    case SafetensorsType::kU64:
      return at::kUInt64;
    case SafetensorsType::kF4:
    case SafetensorsType::kF6E2M3:
    case SafetensorsType::kF6E3M2:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

StatusOr<at::Tensor> ViewTensor(const TensorLocation& location) {
  const SafetensorsEntry& entry = location.entry;
  const auto type = ScalarTypeOf(entry.type);
  if (!type) {
    return InvalidArgument("tensor '" + entry.name + "' has the dtype " +
                           std::string(SafetensorsTypeName(entry.type)) + ", which is not read");
  }
  // A zero makes any other sizes legal in a file, but a tensor's strides must fit, too.
  std::vector<int64_t> shape;
  int64_t extent = 1;
  for (const uint64_t dimension : entry.shape) {
    if (__builtin_mul_overflow(extent, std::max<uint64_t>(dimension, 1), &extent)) {
      return InvalidArgument("tensor '" + entry.name + "' has a shape beyond 2^63 elements");
    }
    shape.push_back(static_cast<int64_t>(dimension));
  }
  const size_t size = entry.end - entry.begin;
  if (size == 0) return at::empty(shape, *type);
  const size_t alignment = c10::elementSize(*type);
  if (reinterpret_cast<uintptr_t>(location.data) % alignment != 0) {
    at::Tensor copy = at::empty(shape, *type);
    std::memcpy(copy.data_ptr(), location.data, size);
    return copy;
  }
  // The deleter's only work is to hold the mapping.
  return at::from_blob(
      location.data, shape, [mapping = location.mapping](void*) {}, at::TensorOptions(*type));
}

StatusOr<std::map<std::string, at::Tensor>> LoadTensors(const std::string& path) {
  ASSIGN_OR_RETURN(const WeightFiles files, OpenWeightFile(path));
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, location] : files.tensors) {
    auto tensor = ViewTensor(location);
    if (!tensor.ok()) return Annotate(tensor.status(), path);
    tensors[name] = *std::move(tensor);
  }
  return tensors;
}

}  // namespace phasor::engine
