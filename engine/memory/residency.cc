#include "engine/memory/residency.h"

#include <algorithm>
#include <utility>

namespace phasor::engine {

Residency::Residency(std::vector<ModelPart> parts, std::shared_ptr<Device> device,
                     const Clock& clock, QuantisedSource source)
    : parts_(std::move(parts)),
      device_(std::move(device)),
      clock_(clock),
      source_(std::move(source)) {
  for (const ModelPart& part : parts_) {
    part.weights->SetHostMemory(device_->host_memory(), device_->place());
  }
}

// Copies under way must not outlive the device.
Residency::~Residency() {
  for (const ModelPart& part : parts_) part.weights->Place(Placement::kAbsent);
}

bool Residency::Enter(const ResidencyPlan& plan, UnitKind phase) {
  const PlannedPhase* const planned = plan.Of(phase);
  TORCH_CHECK(planned != nullptr, "there is no plan for ", ToString(phase));
  const Entered wanted{planned->parts, plan.form, phase};
  if (entered_ == wanted) return false;
  entered_.reset();
  bool left = false, came = false;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Placement before = parts_[i].weights->placement();
    const Placement placement = planned->parts[i].placement;
    // One that comes again in another form leaves, too.
    const bool changes = !parts_[i].weights->Is(plan.form);
    const bool comes = placement == Placement::kResident || placement == Placement::kAhead;
    came = came || (comes && (before != placement || changes));
    if (comes && !changes && (before == placement || placement == Placement::kResident)) continue;
    left = left || before != placement || changes;
    parts_[i].weights->Place(comes ? Placement::kAbsent : placement, plan.form);
  }
  if (left) {
    device_->EmptyCaches();
    device_->ResetPeak();
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    const PlannedPart& part = planned->parts[i];
    WeightSet& weights = *parts_[i].weights;
    if (part.placement == Placement::kResident) weights.Place(Placement::kResident, plan.form);
    if (part.placement != Placement::kAhead) continue;
    weights.PlaceAhead(
        plan.form,
        {.device = device_.get(), .clock = &clock_, .kept = part.bytes, .room = part.ahead});
  }
  entered_ = wanted;
  return left || came;
}

void Residency::Leave() {
  entered_.reset();
  for (const ModelPart& part : parts_) part.weights->Place(Placement::kAbsent);
  device_->EmptyCaches();
}

FetchCount Residency::Fetched() const {
  FetchCount all;
  for (const ModelPart& part : parts_) all += part.weights->fetched();
  return all;
}

std::vector<std::pair<std::string, uint64_t>> Residency::Held() const {
  std::vector<std::pair<std::string, uint64_t>> held;
  for (const ModelPart& part : parts_) {
    const uint64_t bytes = part.weights->HeldBytes();
    if (bytes > 0) held.emplace_back(part.name, bytes);
  }
  return held;
}

StatusOr<std::vector<std::string>> Residency::Bring(WeightForm form,
                                                    const std::function<void()>& on_weight) {
  std::vector<std::string> told;
  for (const ModelPart& part : parts_) {
    QuantisedSource source = source_;
    source.part = part.name;
    ASSIGN_OR_RETURN(std::string sentence, BringForm(form, source, part.weights.get(), on_weight));
    if (!sentence.empty()) told.push_back(std::move(sentence));
  }
  return told;
}

ModelSizes Residency::Sizes(WeightForm form) const {
  ModelSizes sizes{form, {}};
  for (const ModelPart& part : parts_) {
    sizes.parts.push_back(
        {.name = part.name,
         .phases = part.phases,
         .bytes = part.weights->ResidentBytes(form),
         .quantised = form != WeightForm::kPlain && !part.weights->Quantising().empty(),
         .largest_layer = IsApart() ? part.weights->LargestLayerBytes(form) : 0});
  }
  return sizes;
}

MemoryBudget Residency::Budget() const {
  const MemoryUse use = device_->Memory();
  uint64_t held = 0;
  for (const ModelPart& part : parts_) held += part.weights->HeldBytes();
  const uint64_t used = use.current.total();
  return {.capacity = use.capacity,
          .reserved = used - std::min(held, used) + use.fragmented,
          .fragmented = use.fragmented};
}

}  // namespace phasor::engine
