// How long units take on this worker: what it remembers of earlier ones, for the time left that a
// client sees and for how long a silent unit is believed in.
//
// A unit's time is remembered per model, size and kind; the engine's own prediction goes before.
// One thread, the executor.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "common/base/clock.h"
#include "engine/api/engine.h"

namespace phasor::worker {

class UnitPace {
 public:
  // `shortest_stall`: what every unit is granted before it counts as hung.
  explicit UnitPace(Millis shortest_stall = Millis(20'000)) : shortest_stall_(shortest_stall) {}

  // What makes units comparable.
  struct Shape {
    std::string model;
    int64_t pixels = 0;  // width x height x images of the run
  };

  void Note(const Shape& shape, engine::UnitKind kind, double seconds);

  // 0: not known.
  double Expected(const Shape& shape, const engine::Unit& unit) const;

  // Seconds from before `next` to the end of the run; 0: not known.
  double SecondsLeft(const Shape& shape, const engine::Unit& next, int images) const;

  // The same, from a run's very beginning on.
  double RunSeconds(const Shape& shape, const engine::Unit& next, int steps, int images) const;

  // How long the unit may run before it counts as hung: 15 times what is expected, between the
  // shortest stall and 10 minutes; 6 times the shortest when nothing is known.
  Millis Stall(const Shape& shape, const engine::Unit& unit) const;
  // The same of each part of a model that is loaded: 15 times the shortest stall.
  Millis LoadStall() const { return 15 * shortest_stall_; }

 private:
  using Key = std::tuple<std::string, int64_t, engine::UnitKind>;
  const Millis shortest_stall_;
  std::map<Key, double> seconds_;  // smoothed
};

}  // namespace phasor::worker
