#include "engine/weights/tensor_file.h"

#include <bit>
#include <cstring>
#include <set>
#include <utility>

#include "common/base/user_file.h"
#include "engine/weights/weight_files.h"

namespace phasor::engine {
namespace {

float FromBF16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// IEEE 754 binary16, subnormals, infinities and NaN included.
float FromF16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = bits >> 10 & 0x1f;
  const uint32_t fraction = bits & 0x3ff;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

StatusOr<NamedTensor> Convert(const TensorLocation& location) {
  const SafetensorsEntry& entry = location.entry;
  NamedTensor tensor{.name = entry.name, .shape = {}, .values = {}};
  tensor.shape.assign(entry.shape.begin(), entry.shape.end());
  const size_t size = entry.end - entry.begin;
  if (entry.type == SafetensorsType::kF32) {
    tensor.values.resize(size / 4);
    if (size > 0) std::memcpy(tensor.values.data(), location.data, size);
    return tensor;
  }
  const bool half = entry.type == SafetensorsType::kF16;
  if (!half && entry.type != SafetensorsType::kBF16) {
    return InvalidArgument("tensor '" + entry.name + "' has dtype " +
                           std::string(SafetensorsTypeName(entry.type)) +
                           "; F32, F16 and BF16 are read");
  }
  tensor.values.reserve(size / 2);
  for (size_t i = 0; i < size; i += 2) {
    uint16_t bits = 0;
    std::memcpy(&bits, location.data + i, 2);
    tensor.values.push_back(half ? FromF16(bits) : FromBF16(bits));
  }
  return tensor;
}

}  // namespace

Status WriteSafetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsEntry> entries;
  std::set<std::string> names;
  std::string data;
  for (const NamedTensor& tensor : tensors) {
    uint64_t count = 1;
    for (const int64_t dimension : tensor.shape) count *= static_cast<uint64_t>(dimension);
    if (count != tensor.values.size()) {
      return InvalidArgument("tensor '" + tensor.name + "' has " +
                             std::to_string(tensor.values.size()) + " values where its shape has " +
                             std::to_string(count));
    }
    if (!names.insert(tensor.name).second) {
      return InvalidArgument("tensor '" + tensor.name + "' is given twice");
    }
    SafetensorsEntry entry{.name = tensor.name};
    entry.shape.assign(tensor.shape.begin(), tensor.shape.end());
    entries.push_back(std::move(entry));
    data.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
  }
  return WriteUserFile(path, EncodeSafetensorsHeader(std::move(entries), metadata) + data);
}

StatusOr<std::vector<NamedTensor>> ReadSafetensors(const std::string& path) {
  ASSIGN_OR_RETURN(const WeightFiles files, OpenWeightFile(path));
  std::vector<NamedTensor> tensors;
  for (const auto& [_, location] : files.tensors) {
    auto tensor = Convert(location);
    if (!tensor.ok()) return Annotate(tensor.status(), path);
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

}  // namespace phasor::engine
