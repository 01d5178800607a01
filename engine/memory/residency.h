// Moves a model's parts to and from the device as its runs go from phase to phase. The one place
// that does: families declare parts, layers hold handles.
//
// One thread, the device's. Enter throws what LibTorch throws.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/device/device.h"
#include "engine/memory/model_part.h"
#include "engine/memory/strategy.h"

namespace phasor::engine {

class Residency {
 public:
  Residency(std::vector<ModelPart> parts, Strategy strategy, std::shared_ptr<Device> device);

  // Makes the device ready for a unit of this phase. What the phase does not need and the strategy
  // does not keep leaves before anything comes, and doesn't count towards the phase's peak. Nothing
  // happens between units of one phase. After an exception the call may be repeated.
  void Enter(UnitKind phase);

  Strategy strategy() const { return strategy_; }

 private:
  Placement PlacementOf(const ModelPart& part, UnitKind phase) const;

  const std::vector<ModelPart> parts_;
  const Strategy strategy_;
  const std::shared_ptr<Device> device_;
  std::optional<UnitKind> entered_;
};

}  // namespace phasor::engine
