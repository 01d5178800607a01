// What the weights of a set take, in which form and where.
#include <algorithm>

#include "engine/weights/packed_values.h"
#include "engine/weights/weight_set.h"

namespace phasor::engine {
namespace {

int64_t StoredBytes(const WeightSlot& slot, WeightForm form) {
  const int64_t values = slot.host.numel();
  return QuantisedCodes(slot.FormIn(form), values) +
         QuantisedScales(values) * static_cast<int64_t>(sizeof(float));
}

}  // namespace

uint64_t WeightSet::ResidentBytes(const WeightSlot& slot, WeightForm form) const {
  if (form != WeightForm::kPlain && slot.is.quantises) {
    return host_memory_ == HostMemory::kApart ? StoredBytes(slot, form) : 0;
  }
  const auto width = static_cast<int64_t>(c10::elementSize(slot.dtype));
  if (slot.is.packs) return PackedValues(slot.host.sizes(), slot.dtype) * width;
  const bool as_it_lies =
      host_memory_ == HostMemory::kShared && slot.host.scalar_type() == slot.dtype;
  return as_it_lies ? 0 : slot.host.numel() * width;
}

uint64_t WeightSet::ResidentBytes(WeightForm form) const {
  uint64_t bytes = 0;
  for (const WeightSlot& slot : slots_) bytes += ResidentBytes(slot, form);
  return bytes;
}

uint64_t WeightSet::HeldBytes() const {
  if (OnHost()) return 0;
  int64_t bytes = 0;
  for (const WeightSlot& slot : slots_) {
    if (host_memory_ == HostMemory::kApart) bytes += static_cast<int64_t>(slot.held.bytes());
    if (!slot.value.defined() || slot.value.is_same(slot.host)) continue;
    const auto width = static_cast<int64_t>(c10::elementSize(slot.dtype));
    bytes +=
        (slot.is.packs ? PackedValues(slot.host.sizes(), slot.dtype) : slot.host.numel()) * width;
  }
  return static_cast<uint64_t>(bytes) + (ahead_ ? ahead_->held() : 0);
}

uint64_t WeightSet::LargestLayerBytes(WeightForm form) const {
  uint64_t most = 0;
  for (const std::vector<WeightSlot*>& layer : layers_) {
    uint64_t bytes = 0;
    for (const WeightSlot* slot : layer) {
      const bool stored = form != WeightForm::kPlain && slot->is.quantises;
      bytes += stored ? StoredBytes(*slot, form) : slot->host.nbytes();
    }
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace phasor::engine
