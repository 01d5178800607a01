#include "engine/runtime/finite.h"

#include <bit>
#include <cstdint>

namespace phasor::engine {

bool AllFinite(const at::Tensor& tensor) {
  if (!tensor.is_cpu()) return at::isfinite(tensor).all().item<bool>();
  // Any order will do: no copy of a channels-last tensor.
  const at::Tensor dense = tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
  const at::Tensor values = dense.to(at::kFloat);
  const float* data = values.const_data_ptr<float>();
  constexpr uint32_t kExponent = 0x7F800000;  // all of it set: infinite or not a number
  uint32_t found = 0;
  for (int64_t i = 0; i < values.numel(); ++i) {
    found |= (std::bit_cast<uint32_t>(data[i]) & kExponent) == kExponent ? 1 : 0;
  }
  return found == 0;
}

}  // namespace phasor::engine
