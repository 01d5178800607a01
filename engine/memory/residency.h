// Moves a model's parts to and from the device as its runs go from phase to phase. The one place
// that does: families declare parts, layers hold handles.
//
// One thread, the device's. Enter throws what LibTorch throws.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/device/device.h"
#include "engine/memory/model_part.h"
#include "engine/memory/residency_plan.h"

namespace phasor::engine {

class Residency {
 public:
  Residency(std::vector<ModelPart> parts, std::shared_ptr<Device> device);

  // Makes the device ready for a unit of this phase. What the phase does not need and the strategy
  // does not keep leaves before anything comes, and doesn't count towards the phase's peak. Nothing
  // happens between units of one phase. After an exception the call may be repeated.
  void Enter(Strategy strategy, UnitKind phase);

  // Takes everything off the device. The next Enter brings back what it needs.
  void Leave();

  // What is on the device, by part.
  std::vector<std::pair<std::string, uint64_t>> Held() const;

  // What a plan reckons with: the parts' sizes, and the device's memory without what they hold.
  std::vector<PartSize> Sizes() const;
  MemoryBudget Budget() const;

 private:
  const std::vector<ModelPart> parts_;
  const std::shared_ptr<Device> device_;
  std::optional<std::pair<Strategy, UnitKind>> entered_;
};

}  // namespace phasor::engine
