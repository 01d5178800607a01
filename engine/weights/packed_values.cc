#include "engine/weights/packed_values.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

// Output channels with their padding: the most of what small and large maps get.
int64_t PackedOutputs(int64_t outputs, int64_t kernel, at::ScalarType dtype) {
  constexpr int64_t kInputs = 16;  // a block of any instruction set
  constexpr int64_t kSides[] = {1, 2, 4, 8, 16, 64};
  const CountedMemory& memory = CountedMemory::Get();
  const MemoryScope scope(MemoryKind::kWorkspace);
  const c10::InferenceMode guard;
  const at::Tensor plain =
      at::zeros({outputs, kInputs, kernel, kernel}, at::dtype(dtype)).to_mkldnn();
  int64_t most = outputs;
  for (const int64_t side : kSides) {
    const uint64_t before = memory.Use().current.total();
    const at::Tensor packed = at::mkldnn_reorder_conv2d_weight(
        plain, (kernel - 1) / 2, 1, 1, 1, at::IntArrayRef{1, kInputs, side, side});
    const uint64_t bytes = memory.Use().current.total() - before;
    const auto inputs = static_cast<uint64_t>(kInputs * kernel * kernel);
    most = std::max(most, static_cast<int64_t>(bytes / (inputs * c10::elementSize(dtype))));
  }
  return most;
}

}  // namespace

int64_t PackedValues(at::IntArrayRef shape, at::ScalarType dtype) {
  using Key = std::tuple<int64_t, int64_t, at::ScalarType>;
  static std::mutex mutex;
  static std::map<Key, int64_t> known;  // guarded by mutex
  const std::lock_guard lock(mutex);
  const auto [entry, added] = known.try_emplace(Key{shape[0], shape[2], dtype});
  if (added) {
    try {
      entry->second = PackedOutputs(shape[0], shape[2], dtype);
    } catch (...) {
      known.erase(entry);
      throw;
    }
  }
  return entry->second * shape[1] * shape[2] * shape[3];
}

}  // namespace phasor::engine
