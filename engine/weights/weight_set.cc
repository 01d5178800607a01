#include "engine/weights/weight_set.h"

#include <algorithm>
#include <utility>

#include "engine/device/counted_memory.h"
#include "engine/tensor/beside.h"
#include "engine/weights/host_copy.h"

namespace phasor::engine {
namespace {

std::string LayerOf(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

}  // namespace

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

void WeightSet::DropAll() {
  for (WeightSlot& slot : slots_) {
    slot.value.reset();
    slot.held = {};
  }
  turn_.reset();
}

std::vector<bool> WeightSet::LayersToKeep(WeightForm form, uint64_t bytes) const {
  const uint64_t all = ResidentBytes(form);
  std::vector<bool> keeps(layers_.size());
  uint64_t seen = 0, kept = 0;
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    uint64_t own = 0;
    for (const WeightSlot* slot : layers_[layer]) own += ResidentBytes(*slot, form);
    seen += own;
    // Its share of what has been passed, so that those that stream have time between them.
    keeps[layer] =
        static_cast<double>(kept + own) <= static_cast<double>(bytes) * static_cast<double>(seen) /
                                               static_cast<double>(std::max<uint64_t>(all, 1));
    if (keeps[layer]) kept += own;
  }
  return keeps;
}

std::vector<at::Tensor> WeightSet::HostOf(size_t layer, WeightForm form) const {
  std::vector<at::Tensor> tensors;
  for (const WeightSlot* slot : layers_[layer]) {
    if (form != WeightForm::kPlain && slot->is.quantises) {
      const Quantised& stored = slot->host_forms[static_cast<size_t>(form)];
      tensors.push_back(stored.codes);
      tensors.push_back(stored.scales);
    } else {
      tensors.push_back(slot->host);
    }
  }
  return tensors;
}

void WeightSet::EndAhead() {
  fetched_ = fetched();
  ahead_.reset();
}

FetchCount WeightSet::fetched() const {
  FetchCount all = fetched_;
  if (ahead_) all += ahead_->count();
  return all;
}

void WeightSet::PlaceAhead(WeightForm form, const Ahead& ahead) {
  TORCH_CHECK(Has(form), name_, " is not there in the form that was asked for");
  if (placement_ == Placement::kAhead && form == form_ && ahead == wanted_) return;
  DropAll();
  placement_ = Placement::kAhead;
  form_ = form;
  wanted_ = ahead;
  keeps_ = LayersToKeep(form, ahead.kept);
  EndAhead();
  if (host_memory_ == HostMemory::kShared) return;
  ahead_ = std::make_unique<FetchAhead>(*ahead.device, *ahead.clock, ahead.room,
                                        [this, form](size_t layer) { return HostOf(layer, form); });
}

// The copy that was brought ahead; undefined if there is none.
at::Tensor WeightSet::Fetched(const at::Tensor& host) const {
  return ahead_ ? ahead_->Take(host) : at::Tensor();
}

void WeightSet::Place(Placement placement, WeightForm form) {
  TORCH_CHECK(Has(form), name_, " is not there in the form that was asked for");
  // A streamed set is resident in part, which a resident one may keep.
  const bool stays = placement == Placement::kResident && !OnHost();
  const bool keeps = Is(form) && (placement == placement_ || stays);
  if (!keeps) DropAll();
  EndAhead();
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
  if (turn_ == slot.layer) return;
  if (turn_) EndTurn(*turn_);
  turn_ = slot.layer;
  if (ahead_ && Streams(slot.layer)) ahead_->Turn(slot.layer);
}

void WeightSet::Hold(WeightSlot& slot) const {
  if (slot.held.defined()) return;
  const Quantised& host = slot.host_forms[static_cast<size_t>(form_)];
  if (memory() == HostMemory::kShared) {
    slot.held = host;
    return;
  }
  if (at::Tensor codes = Fetched(host.codes); codes.defined()) {
    slot.held = {host.form, std::move(codes), Fetched(host.scales)};
    return;
  }
  const MemoryScope scope(Counted(MemoryKind::kWeights));
  slot.held = place().is_cpu()
                  ? Quantised{host.form, host.codes.clone(), host.scales.clone()}
                  : Quantised{host.form, Beside(host.codes, place_), Beside(host.scales, place_)};
}

at::Tensor WeightSet::Load(WeightSlot& slot) const {
  if (Quantises(slot)) return Plain(slot);
  const MemoryScope scope(Counted(MemoryKind::kWeights));
  if (!place().is_cpu()) {
    at::Tensor value = LoadElsewhere(slot);
    Leave(slot);
    return value;
  }
  const bool converts = slot.host.scalar_type() != slot.dtype;
  if (at::Tensor there = Fetched(slot.host); there.defined()) {
    return converts ? there.to(slot.dtype) : there;
  }
  if (!converts && memory() == HostMemory::kShared) return slot.host;
  at::Tensor value =
      converts ? slot.host.to(slot.dtype) : RoomFor(slot.host, place()).copy_(slot.host);
  Leave(slot);
  return value;
}

// The file's own bytes cross the bus, once; another type or order is made of them over there.
at::Tensor WeightSet::LoadElsewhere(const WeightSlot& slot) const {
  const at::MemoryFormat format = slot.convolution ? layout_ : at::MemoryFormat::Contiguous;
  at::Tensor raw = Fetched(slot.host);
  const bool as_it_is = slot.host.scalar_type() == slot.dtype && slot.host.is_contiguous(format);
  if (as_it_is) return raw.defined() ? raw : Beside(slot.host, place_);
  if (!raw.defined()) {
    const MemoryScope workspace(MemoryKind::kWorkspace);
    raw = Beside(slot.host, place_);
  }
  return raw.to(raw.options().dtype(slot.dtype), /*non_blocking=*/false, /*copy=*/true, format);
}

// In the type that it computes in.
at::Tensor WeightSet::Plain(WeightSlot& slot) const {
  if (!Quantises(slot)) {
    const at::Tensor there = Fetched(slot.host);
    return (there.defined() ? there : slot.host).to(slot.dtype);
  }
  Hold(slot);
  const MemoryScope scope(Counted(MemoryKind::kWorkspace));
  at::Tensor values = Dequantise(slot.held, slot.host.sizes(), slot.dtype);
  if (Streams(slot.layer)) slot.held = {};
  return values;
}

at::Tensor WeightSet::Pack(WeightSlot& slot, const ConvolutionUse& use) const {
  at::Tensor plain;
  {
    const MemoryScope scope(Counted(MemoryKind::kWorkspace));
    plain = Plain(slot).to_mkldnn();
  }
  Leave(slot);
  const MemoryScope scope(Counted(Quantises(slot) ? MemoryKind::kWorkspace : MemoryKind::kWeights));
  return at::mkldnn_reorder_conv2d_weight(plain, use.padding, use.stride, 1, 1, use.input);
}

// A streamed weight is soon read again.
void WeightSet::Leave(const WeightSlot& slot) const {
  if (slot.is.mapped && placement_ == Placement::kResident) LeavePages(slot.host);
}

void WeightSet::EndTurn(size_t layer) {
  for (WeightSlot* slot : layers_[layer]) {
    if (Passing(*slot)) slot->value.reset();
  }
}

}  // namespace phasor::engine
