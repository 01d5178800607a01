// When to take a checkpoint: as often as costs at most a given share of the run's time.
// Pure arithmetic on measured durations in seconds; one thread.
#pragma once

#include <algorithm>

namespace phasor::worker {

class CheckpointPace {
 public:
  // `share`: of the run's time that checkpoints may cost, 0 < share <= 1. `first_cost` stands in
  // for the cost until one was measured.
  explicit CheckpointPace(double share = 0.01, double first_cost = 0.01)
      : share_(share), cost_(first_cost) {}

  // A run begins: the last checkpoint counts as taken now.
  void Begin() { worked_ = 0; }

  // `seconds` of work were done. True: take one now.
  bool Worked(double seconds) {
    worked_ += seconds;
    return worked_ * share_ >= cost_;
  }

  // It was taken (or failed) and cost `seconds`. The dearer of the last two counts, so that one
  // quick write does not invite a burst.
  void Took(double seconds) {
    cost_ = std::max(seconds, (cost_ + seconds) / 2);
    worked_ = 0;
  }

 private:
  const double share_;
  double cost_;
  double worked_ = 0;
};

}  // namespace phasor::worker
