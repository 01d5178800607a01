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

int64_t StoredBytes(const WeightSlot& slot, WeightForm form) {
  const int64_t values = slot.host.numel();
  return QuantisedCodes(slot.FormIn(form), values) +
         QuantisedScales(values) * static_cast<int64_t>(sizeof(float));
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
  if (!is.packs) return Fetch();
  set->Use(*this);
  value = set->Pack(*this, use);
  return value;
}

WeightForm WeightSlot::FormIn(WeightForm form) const {
  if (!is.quantises) return WeightForm::kPlain;
  return form == WeightForm::kNf4 && is.packs ? WeightForm::kFp8 : form;
}

Weight WeightSet::Add(const std::string& name, at::Tensor host, at::ScalarType dtype,
                      const WeightTraits& traits) {
  const auto [layer, added] = layer_of_.try_emplace(LayerOf(name), layers_.size());
  if (added) layers_.emplace_back();
  WeightSlot& slot = slots_.emplace_back();
  slot.name = name;
  slot.dtype = host.is_floating_point() ? dtype : host.scalar_type();
  slot.convolution = traits.packs;
  slot.is = traits;
  slot.is.packs = traits.packs && (slot.dtype == at::kFloat || slot.dtype == at::kBFloat16);
  slot.is.quantises = traits.quantises && host.is_floating_point();
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
  for (WeightSlot& slot : slots_) slot.is.packs = false;
}

void WeightSet::Give(WeightForm form, const QuantisedWeights& weights) {
  for (WeightSlot& slot : slots_) {
    if (slot.is.quantises) slot.host_forms[static_cast<size_t>(form)] = weights.at(slot.name);
  }
}

bool WeightSet::Has(WeightForm form) const {
  return form == WeightForm::kPlain ||
         std::all_of(slots_.begin(), slots_.end(), [&](const WeightSlot& slot) {
           return !slot.is.quantises || slot.host_forms[static_cast<size_t>(form)].defined();
         });
}

std::vector<const WeightSlot*> WeightSet::Quantising() const {
  std::vector<const WeightSlot*> slots;
  for (const WeightSlot& slot : slots_) {
    if (slot.is.quantises) slots.push_back(&slot);
  }
  return slots;
}

uint64_t WeightSet::ResidentBytes(WeightForm form) const {
  int64_t bytes = 0;
  for (const WeightSlot& slot : slots_) {
    if (form != WeightForm::kPlain && slot.is.quantises) {
      if (host_memory_ == HostMemory::kApart) bytes += StoredBytes(slot, form);
      continue;
    }
    const auto width = static_cast<int64_t>(c10::elementSize(slot.dtype));
    const bool as_it_lies =
        host_memory_ == HostMemory::kShared && slot.host.scalar_type() == slot.dtype;
    if (slot.is.packs) bytes += PackedValues(slot.host.sizes(), slot.dtype) * width;
    if (!slot.is.packs && !as_it_lies) bytes += slot.host.numel() * width;
  }
  return static_cast<uint64_t>(bytes);
}

uint64_t WeightSet::HeldBytes() const {
  int64_t bytes = 0;
  for (const WeightSlot& slot : slots_) {
    if (host_memory_ == HostMemory::kApart) bytes += static_cast<int64_t>(slot.held.bytes());
    if (!slot.value.defined() || slot.value.is_same(slot.host)) continue;
    const auto width = static_cast<int64_t>(c10::elementSize(slot.dtype));
    bytes +=
        (slot.is.packs ? PackedValues(slot.host.sizes(), slot.dtype) : slot.host.numel()) * width;
  }
  return static_cast<uint64_t>(bytes);
}

uint64_t WeightSet::LargestStoredBytes(WeightForm form) const {
  int64_t most = 0;
  for (const WeightSlot& slot : slots_) {
    if (form != WeightForm::kPlain && slot.is.quantises)
      most = std::max(most, StoredBytes(slot, form));
  }
  return static_cast<uint64_t>(most);
}

void WeightSet::Place(Placement placement, WeightForm form) {
  TORCH_CHECK(Has(form), name_, " is not there in the form that was asked for");
  // A streamed set is resident in part, which a resident one may keep.
  const bool keeps = Is(form) && (placement == placement_ || placement == Placement::kResident);
  if (!keeps) {
    for (WeightSlot& slot : slots_) {
      slot.value.reset();
      slot.held = {};
    }
  }
  placement_ = placement;
  form_ = form;
  if (placement != Placement::kResident) return;
  for (WeightSlot& slot : slots_) {
    if (Quantises(slot)) {
      Hold(slot);
    } else if (!slot.is.packs && !slot.value.defined()) {
      slot.value = Load(slot);
    }
  }
}

// Before a weight that is not there is brought in.
void WeightSet::Use(const WeightSlot& slot) {
  TORCH_CHECK(placement_ != Placement::kAbsent, "'", slot.name, "' of ", name_,
              " is computed with in a phase that does not need it");
  if (!Passing(slot)) return;
  if (turn_ != slot.layer) EndTurn(turn_);
  turn_ = slot.layer;
}

void WeightSet::Hold(WeightSlot& slot) const {
  if (slot.held.defined()) return;
  const Quantised& host = slot.host_forms[static_cast<size_t>(form_)];
  if (host_memory_ == HostMemory::kShared) {
    slot.held = host;
    return;
  }
  const MemoryScope scope(MemoryKind::kWeights);
  slot.held = place_.is_cpu()
                  ? Quantised{host.form, host.codes.clone(), host.scales.clone()}
                  : Quantised{host.form, Beside(host.codes, place_), Beside(host.scales, place_)};
}

at::Tensor WeightSet::Load(WeightSlot& slot) const {
  if (Quantises(slot)) return Plain(slot);
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

// In the type that it computes in.
at::Tensor WeightSet::Plain(WeightSlot& slot) const {
  if (!Quantises(slot)) return slot.host.to(slot.dtype);
  Hold(slot);
  const MemoryScope scope(MemoryKind::kWorkspace);
  return Dequantise(slot.held, slot.host.sizes(), slot.dtype);
}

at::Tensor WeightSet::Pack(WeightSlot& slot, const ConvolutionUse& use) const {
  at::Tensor plain;
  {
    const MemoryScope scope(MemoryKind::kWorkspace);
    plain = Plain(slot).to_mkldnn();
  }
  Leave(slot);
  const MemoryScope scope(Quantises(slot) ? MemoryKind::kWorkspace : MemoryKind::kWeights);
  return at::mkldnn_reorder_conv2d_weight(plain, use.padding, use.stride, 1, 1, use.input);
}

// A streamed weight is soon read again.
void WeightSet::Leave(const WeightSlot& slot) const {
  if (slot.is.mapped && placement_ == Placement::kResident) LeavePages(slot.host);
}

void WeightSet::EndTurn(size_t layer) {
  for (WeightSlot* slot : layers_[layer]) {
    if (Passing(*slot)) slot->value.reset();
    if (placement_ == Placement::kStreamed) slot->held = {};
  }
}

}  // namespace phasor::engine
