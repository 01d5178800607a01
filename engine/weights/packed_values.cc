#include "engine/weights/packed_values.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

// Inputs come in blocks of any instruction set (AMX has the largest), the last one padded.
constexpr int64_t kBlock = 64;

// Values of so few inputs with their padding: the most of what small and large maps get.
int64_t PackedBlock(int64_t outputs, int64_t inputs, int64_t kernel, at::ScalarType dtype) {
  constexpr int64_t kSides[] = {1, 2, 4, 8, 16, 64};
  const CountedMemory& memory = CountedMemory::Get();
  const MemoryScope scope(MemoryKind::kWorkspace);
  const c10::InferenceMode guard;
  const at::Tensor plain =
      at::zeros({outputs, inputs, kernel, kernel}, at::dtype(dtype)).to_mkldnn();
  int64_t most = outputs * inputs * kernel * kernel;
  for (const int64_t side : kSides) {
    const uint64_t before = memory.Use().current.total();
    const at::Tensor packed = at::mkldnn_reorder_conv2d_weight(
        plain, (kernel - 1) / 2, 1, 1, 1, at::IntArrayRef{1, inputs, side, side});
    const uint64_t bytes = memory.Use().current.total() - before;
    most = std::max(most, static_cast<int64_t>(bytes / c10::elementSize(dtype)));
  }
  return most;
}

// Each is packed once.
int64_t KnownBlock(int64_t outputs, int64_t inputs, int64_t kernel, at::ScalarType dtype) {
  using Key = std::tuple<int64_t, int64_t, int64_t, at::ScalarType>;
  static std::mutex mutex;
  static std::map<Key, int64_t> known;  // guarded by mutex
  const std::lock_guard lock(mutex);
  const auto [entry, added] = known.try_emplace(Key{outputs, inputs, kernel, dtype});
  if (added) {
    try {
      entry->second = PackedBlock(outputs, inputs, kernel, dtype);
    } catch (...) {
      known.erase(entry);
      throw;
    }
  }
  return entry->second;
}

}  // namespace

int64_t PackedValues(at::IntArrayRef shape, at::ScalarType dtype) {
  // As many whole blocks as there are, and what is left of one.
  const int64_t left = shape[1] % kBlock;
  const int64_t whole = left == 0 ? 0 : KnownBlock(shape[0], left, shape[2], dtype);
  if (shape[1] < kBlock) return whole;
  return shape[1] / kBlock * KnownBlock(shape[0], kBlock, shape[2], dtype) + whole;
}

}  // namespace phasor::engine
