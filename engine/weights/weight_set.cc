#include "engine/weights/weight_set.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <tuple>
#include <utility>

#include "engine/device/counted_memory.h"
#include "engine/tensor/beside.h"

namespace phasor::engine {
namespace {

std::string LayerOf(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

// As far from a multiple of 64 as the original: MKL's products depend on it, and a simulated device
// is to give the bits of the CPU, which computes with mapped files where they lie.
at::Tensor CopyOf(const at::Tensor& host) {
  constexpr int64_t kAlignment = 64;
  const int64_t bytes = static_cast<int64_t>(host.nbytes());
  const auto offset =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(host.const_data_ptr()) % kAlignment);
  const at::Tensor room = at::empty({bytes + offset}, at::kByte);
  const at::Tensor copy = room.slice(0, offset).view(host.scalar_type()).view(host.sizes());
  return copy.copy_(host);
}

// Lets go of whole pages only: their neighbours are other weights'.
void LeavePages(const at::Tensor& mapped) {
  static const auto kPage = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(mapped.const_data_ptr());
  const uintptr_t begin = (address + kPage - 1) / kPage * kPage;
  const uintptr_t end = (address + mapped.nbytes()) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

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

const at::Tensor& WeightSlot::Fetch() {
  set->Use(*this);
  if (!value.defined()) value = set->Load(*this);
  return value;
}

const at::Tensor& WeightSlot::FetchPacked(const ConvolutionUse& use) {
  if (!packs) return Fetch();
  set->Use(*this);
  value = set->Pack(*this, use);
  return value;
}

Weight WeightSet::Add(const std::string& name, at::Tensor host, at::ScalarType dtype, bool packs,
                      bool mapped) {
  const auto [layer, added] = layer_of_.try_emplace(LayerOf(name), layers_.size());
  if (added) layers_.emplace_back();
  WeightSlot& slot = slots_.emplace_back();
  slot.name = name;
  slot.dtype = host.is_floating_point() ? dtype : host.scalar_type();
  slot.convolution = packs;
  slot.packs = packs && (slot.dtype == at::kFloat || slot.dtype == at::kBFloat16);
  slot.mapped = mapped;
  slot.host = std::move(host);
  slot.layer = layer->second;
  slot.set = this;
  layers_[layer->second].push_back(&slot);
  return Weight(std::shared_ptr<WeightSlot>(shared_from_this(), &slot));
}

void WeightSet::SetHostMemory(HostMemory memory, at::Device place) {
  host_memory_ = memory;
  place_ = place;
  if (place.is_cpu()) return;
  for (WeightSlot& slot : slots_) slot.packs = false;
}

uint64_t WeightSet::ResidentBytes() const {
  int64_t bytes = 0;
  for (const WeightSlot& slot : slots_) {
    const auto width = static_cast<int64_t>(c10::elementSize(slot.dtype));
    const bool as_it_lies =
        host_memory_ == HostMemory::kShared && slot.host.scalar_type() == slot.dtype;
    if (slot.packs) bytes += PackedValues(slot.host.sizes(), slot.dtype) * width;
    if (!slot.packs && !as_it_lies) bytes += slot.host.numel() * width;
  }
  return static_cast<uint64_t>(bytes);
}

uint64_t WeightSet::HeldBytes() const {
  int64_t bytes = 0;
  for (const WeightSlot& slot : slots_) {
    if (!slot.value.defined() || slot.value.is_same(slot.host)) continue;
    const auto width = static_cast<int64_t>(c10::elementSize(slot.dtype));
    bytes += (slot.packs ? PackedValues(slot.host.sizes(), slot.dtype) : slot.host.numel()) * width;
  }
  return static_cast<uint64_t>(bytes);
}

void WeightSet::Place(Placement placement) {
  if (placement != placement_ && placement_ != Placement::kAbsent) {
    // A streamed set is resident in part, which a resident one may keep.
    if (placement != Placement::kResident) {
      for (size_t layer = 0; layer < layers_.size(); ++layer) Drop(layer);
    }
  }
  placement_ = placement;
  if (placement != Placement::kResident) return;
  for (WeightSlot& slot : slots_) {
    if (!slot.packs && !slot.value.defined()) slot.value = Load(slot);
  }
}

// Before a weight that is not there is brought in.
void WeightSet::Use(const WeightSlot& slot) {
  TORCH_CHECK(placement_ != Placement::kAbsent, "'", slot.name, "' of ", name_,
              " is computed with in a phase that does not need it");
  if (placement_ != Placement::kStreamed) return;
  if (streamed_ != slot.layer) Drop(streamed_);
  streamed_ = slot.layer;
}

at::Tensor WeightSet::Load(const WeightSlot& slot) const {
  const MemoryScope scope(MemoryKind::kWeights);
  if (!place_.is_cpu()) {
    at::Tensor value = LoadElsewhere(slot);
    Leave(slot);
    return value;
  }
  const bool converts = slot.host.scalar_type() != slot.dtype;
  if (!converts && host_memory_ == HostMemory::kShared) return slot.host;
  at::Tensor value = converts ? slot.host.to(slot.dtype) : CopyOf(slot.host);
  Leave(slot);
  return value;
}

// The file's own bytes cross the bus, once; another type or order is made of them over there.
at::Tensor WeightSet::LoadElsewhere(const WeightSlot& slot) const {
  const at::MemoryFormat format = slot.convolution ? layout_ : at::MemoryFormat::Contiguous;
  if (slot.host.scalar_type() == slot.dtype && slot.host.is_contiguous(format)) {
    return Beside(slot.host, place_);
  }
  at::Tensor raw;
  {
    const MemoryScope workspace(MemoryKind::kWorkspace);
    raw = Beside(slot.host, place_);
  }
  return raw.to(raw.options().dtype(slot.dtype), /*non_blocking=*/false, /*copy=*/true, format);
}

at::Tensor WeightSet::Pack(const WeightSlot& slot, const ConvolutionUse& use) const {
  at::Tensor plain;
  {
    const MemoryScope scope(MemoryKind::kWorkspace);
    plain = slot.host.to(slot.dtype).to_mkldnn();
  }
  Leave(slot);
  const MemoryScope scope(MemoryKind::kWeights);
  return at::mkldnn_reorder_conv2d_weight(plain, use.padding, use.stride, 1, 1, use.input);
}

// A streamed weight is soon read again.
void WeightSet::Leave(const WeightSlot& slot) const {
  if (slot.mapped && placement_ == Placement::kResident) LeavePages(slot.host);
}

void WeightSet::Drop(size_t layer) {
  for (WeightSlot* slot : layers_[layer]) slot->value.reset();
}

}  // namespace phasor::engine
