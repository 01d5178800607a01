// For how long the jobs of one model go first. Once a model was brought for which another one left,
// it alone is asked for, so that the price is paid once for several jobs; never for more of them
// than a group has, nor for longer than anybody should wait.
//
// Pure. One thread, the executor.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "services/worker/run/group_turn.h"

namespace phasor::worker {

class Stretch {
 public:
  explicit Stretch(GroupConfig config) : config_(config) {}

  // A job was taken in hand; `left`: another model left for it.
  void Took(const std::string& model, job::Priority priority, bool left, SteadyTime now);
  // There was no job of the model that goes first.
  void Over() { model_.clear(); }

  // The model that alone is to be asked for; nullopt: any.
  std::optional<std::string> Only(SteadyTime now) const;

 private:
  const GroupConfig config_;
  std::string model_;  // empty: none goes first
  int jobs_ = 0;
  SteadyTime until_;
};

}  // namespace phasor::worker
