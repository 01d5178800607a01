// When to take a checkpoint: as often as costs at most a given share of the run's time, whatever
// a checkpoint costs where it is stored. Pure arithmetic on measured durations in seconds; one
// thread.
#pragma once

#include <algorithm>

namespace phasor::engine {

class CheckpointPace {
 public:
  struct Config {
    double share = 0.01;       // of the run's time that checkpoints may cost, 0 < share <= 1
    double first_cost = 0.01;  // seconds, stands in until one was measured
    double shortest = 0;       // seconds of work between two
    // Seconds of work after which one is taken although it is dearer than its share: a store that
    // was slow for once must not put the whole run at stake.
    double longest = 300;
  };
  explicit CheckpointPace(Config config) : config_(config), cost_(config.first_cost) {}

  // A run begins: the last checkpoint counts as taken now.
  void Begin() { worked_ = 0; }

  // `seconds` of work were done. True: take one now.
  bool Worked(double seconds) {
    worked_ += seconds;
    if (worked_ >= config_.longest) return true;
    return worked_ >= config_.shortest && worked_ * config_.share >= cost_;
  }

  // It was taken (or failed) and cost `seconds`. The dearer of the last two counts, so that one
  // quick write does not invite a burst and one slow write is forgotten after the next two.
  void Took(double seconds) {
    cost_ = std::max(seconds, last_);
    last_ = seconds;
    worked_ = 0;
  }

 private:
  const Config config_;
  double cost_;
  double last_ = 0;
  double worked_ = 0;
};

}  // namespace phasor::engine
