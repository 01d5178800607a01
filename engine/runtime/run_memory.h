// A run's memory: its plan, the ladder that a unit goes down when memory runs out, and what was cut
// on the way. One thread, the device's. Everything given outlives it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/device/device.h"
#include "engine/memory/ladder.h"
#include "engine/memory/residency.h"
#include "engine/runtime/fingerprint.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/run_plan.h"

namespace phasor::engine {

class RunMemory {
 public:
  struct Parts {
    const Pipeline& pipeline;
    Residency& residency;
    const Calibration& calibration;
    Device& device;
    std::function<std::string()> make_room;  // as RunOptions has it
  };

  // Without a strategy the cheapest that fits, with `cuts` and as many more as it takes.
  RunMemory(Parts parts, const PictureSpec& spec, const StrategyChoice& choice, const Cuts& cuts);

  const ResidencyPlan& plan() const { return plan_.residency; }
  const Cuts& cuts() const { return plan_.cuts; }
  const CutsTaken& taken() const { return taken_; }
  const std::vector<Degradation>& degradations() const { return degradations_; }
  // Of the runs before, which a checkpoint told.
  const std::vector<Degradation>& degradations_before() const { return degradations_before_; }

  // Does a unit, which leaves the run as it was if it fails. Where it fails for want of memory it
  // is done again with the room that others make, or one rung down, until it goes through or there
  // is no rung left; then none was taken.
  Status Do(const Unit& unit, const std::function<Status()>& work);

  // One strategy leaner before the unit is begun; false if there is none.
  bool GoLeaner(const Unit& unit, const std::string& reason);

  // What was cut belongs to a run's state: it goes on so elsewhere, to the same bytes. What was
  // given up goes along. DATA_LOSS.
  void Write(Checkpoint* checkpoint) const;
  Status Read(const Checkpoint& checkpoint);

 private:
  void Take(const Rung& rung);
  Status ReadCuts(const Checkpoint& checkpoint);
  void Tell(const Unit& unit, std::string action, const std::string& reason);
  void Note(const Unit& unit);

  PlanInput Input() const {
    return {parts_.pipeline, parts_.residency, parts_.calibration, spec_, form_};
  }

  const Parts parts_;
  const PictureSpec& spec_;
  const WeightForm form_;
  RunPlan plan_;
  CutsTaken taken_;
  std::vector<Degradation> degradations_;
  std::vector<Degradation> degradations_before_;
};

}  // namespace phasor::engine
