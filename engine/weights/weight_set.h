// The weights of one part of a model: where each is and in which form.
//
// Layers keep handles (Weight) and ask them for values when they compute; whoever owns the device's
// memory (engine/memory/residency.h) says where the set is to be. No layer and no model knows.
// The host's side of a weight is the mapped file and stays; what a device needs is made from it and
// dropped again, never copied back. That is so for the quantised form of a weight, too, which has a
// file of its own (quantised_file.h).
//
// A layer is what shares a name up to the last dot ("down_blocks.0.resnets.1.conv1": weight and
// bias). It computes with its own weights only, one layer after the other.
//
// One thread. Handles keep their set alive.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/memory_use.h"
#include "engine/device/device.h"
#include "engine/tensor/torch.h"
#include "engine/weights/fetch_ahead.h"
#include "engine/weights/quantise.h"

namespace phasor::engine {

// What a convolution's packed form depends on.
struct ConvolutionUse {
  at::IntArrayRef input;  // [B, in, H, W]
  int64_t stride = 1;
  int64_t padding = 0;
};

class WeightSet;

struct WeightTraits {
  bool packs = false;      // a convolution's: it is packed for oneDNN when first used
  bool mapped = false;     // its host's side is a view of a file
  bool quantises = false;  // it has other forms than the plain one
};

// One weight of a set.
struct WeightSlot {
  std::string name;
  at::Tensor host;  // as the file has it, in the shape asked for
  at::ScalarType dtype = at::kFloat;
  bool convolution = false;
  WeightTraits is;
  size_t layer = 0;
  std::array<Quantised, kWeightForms> host_forms = {};  // by the set's form, once they are there
  Quantised held;    // its quantised form on the device, if the set has such a form
  at::Tensor value;  // what is computed with; undefined while it is not on the device
  WeightSet* set = nullptr;

  // In which it is stored where the set is in `form`.
  WeightForm FormIn(WeightForm form) const;

  const at::Tensor& Fetch();
  const at::Tensor& FetchPacked(const ConvolutionUse& use);
};

// A layer's handle. Undefined for an absent optional parameter (and after an error). A value holds
// until the layer is done computing.
class Weight {
 public:
  Weight() = default;
  explicit Weight(std::shared_ptr<WeightSlot> slot) : slot_(std::move(slot)) {}
  bool defined() const { return slot_ != nullptr; }
  const at::Tensor& operator*() const {
    return slot_->value.defined() ? slot_->value : slot_->Fetch();
  }
  const at::Tensor* operator->() const { return &**this; }
  // As a convolution takes it: packed for oneDNN where that has such a form (fp32 on the CPU), made
  // at the first call for that call's input. LibTorch's own convolution packs at every call.
  const at::Tensor& ForConvolution(const ConvolutionUse& use) const {
    return slot_->value.defined() ? slot_->value : slot_->FetchPacked(use);
  }
  // The order in memory that a convolution's input is to have.
  at::MemoryFormat layout() const;

 private:
  std::shared_ptr<WeightSlot> slot_;
};

class WeightSet : public std::enable_shared_from_this<WeightSet> {
 public:
  explicit WeightSet(std::string name) : name_(std::move(name)) {}
  WeightSet(const WeightSet&) = delete;
  WeightSet& operator=(const WeightSet&) = delete;

  // `host` is a contiguous tensor of any type; floating values are computed with in `dtype`. Of a
  // `mapped` one, a view of a file that nothing writes to, the pages leave the process's memory
  // once a resident form is made; the system reads them again when they are asked for.
  Weight Add(const std::string& name, at::Tensor host, at::ScalarType dtype,
             const WeightTraits& traits = {});

  // A set is resident from the start, each weight from when it is first asked for. `place` is where
  // values are made. To be called before the first is.
  void SetHostMemory(HostMemory memory, at::Device place = at::kCPU);
  at::Device place() const { return OnHost() ? at::Device(at::kCPU) : place_; }

  // The order in memory that convolutions compute in. Channels-last unless said otherwise, and
  // always so on the CPU.
  void SetLayout(at::MemoryFormat layout) { layout_ = layout; }
  at::MemoryFormat layout() const { return layout_; }

  // The host's side of a quantised form, by weight: all of those that quantise.
  using QuantisedWeights = std::map<std::string, Quantised>;
  void Give(WeightForm form, const QuantisedWeights& weights);
  bool Has(WeightForm form) const;
  // What Give has to be given.
  std::vector<const WeightSlot*> Quantising() const;

  // Moves the set. Resident weights are brought in at once, but for those that are packed when
  // first used; of quantised ones what they are stored as. The set has the form. Throws what
  // LibTorch throws; then the call may be repeated.
  void Place(Placement placement, WeightForm form = WeightForm::kPlain);
  // Streams the set with copies of the next layers under way: `room` bytes of them. Layers of
  // `kept` bytes in all stay once they are there, spread evenly over the rest.
  struct Ahead {
    Device* device = nullptr;  // outlives the placement
    const Clock* clock = nullptr;
    uint64_t kept = 0;
    uint64_t room = 0;
    bool operator==(const Ahead&) const = default;
  };
  void PlaceAhead(WeightForm form, const Ahead& ahead);
  // Since the set was made.
  FetchCount fetched() const;
  Placement placement() const { return placement_; }
  // Whether it is as it would be in this form.
  bool Is(WeightForm form) const { return form == form_ || Quantising().empty(); }

  // On the device when all of it is resident in this form; and as it is now.
  uint64_t ResidentBytes(WeightForm form = WeightForm::kPlain) const;
  uint64_t HeldBytes() const;
  // Of the layer that has most to bring over, as it lies on the host.
  uint64_t LargestLayerBytes(WeightForm form) const;

 private:
  friend struct WeightSlot;
  bool OnHost() const { return placement_ == Placement::kOnHost; }
  HostMemory memory() const { return OnHost() ? HostMemory::kShared : host_memory_; }
  // Of what is allocated for a weight.
  MemoryKind Counted(MemoryKind kind) const { return OnHost() ? MemoryKind::kHost : kind; }
  bool Quantises(const WeightSlot& slot) const {
    return form_ != WeightForm::kPlain && slot.is.quantises;
  }
  // Its value is there for its layer's turn alone.
  bool Passing(const WeightSlot& slot) const { return Streams(slot.layer) || Quantises(slot); }
  bool Streams(size_t layer) const {
    return placement_ == Placement::kStreamed ||
           (placement_ == Placement::kAhead && !keeps_[layer]);
  }
  uint64_t ResidentBytes(const WeightSlot& slot, WeightForm form) const;
  std::vector<bool> LayersToKeep(WeightForm form, uint64_t bytes) const;
  // What the layer has to bring over in this form.
  std::vector<at::Tensor> HostOf(size_t layer, WeightForm form) const;
  at::Tensor Fetched(const at::Tensor& host) const;
  void DropAll();
  void EndAhead();
  void Use(const WeightSlot& slot);
  void Hold(WeightSlot& slot) const;
  at::Tensor Load(WeightSlot& slot) const;
  at::Tensor LoadElsewhere(const WeightSlot& slot) const;
  at::Tensor Plain(WeightSlot& slot) const;
  at::Tensor Pack(WeightSlot& slot, const ConvolutionUse& use) const;
  void Leave(const WeightSlot& slot) const;
  void EndTurn(size_t layer);

  const std::string name_;
  HostMemory host_memory_ = HostMemory::kShared;
  at::Device place_ = at::kCPU;
  at::MemoryFormat layout_ = at::MemoryFormat::ChannelsLast;
  Placement placement_ = Placement::kResident;
  WeightForm form_ = WeightForm::kPlain;
  std::deque<WeightSlot> slots_;  // where they are, they stay
  std::map<std::string, size_t> layer_of_;
  std::vector<std::vector<WeightSlot*>> layers_;
  std::optional<size_t> turn_;  // the layer whose passing values are on the device
  // Ahead alone.
  std::vector<bool> keeps_;  // by layer
  Ahead wanted_;
  std::unique_ptr<FetchAhead> ahead_;
  FetchCount fetched_;  // before that
};

inline at::MemoryFormat Weight::layout() const { return slot_->set->layout(); }

}  // namespace phasor::engine
