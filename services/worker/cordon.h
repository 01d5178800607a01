// When a worker doubts itself. Several different jobs in a row that fail for reasons of the worker
// or its node (job::BlamesNode) are too many to be chance: the worker takes no more, so that it
// does not use up the tries of all jobs there are. After a while it takes one job as a probe; if
// that comes out, all is well again, else the next while is twice as long.
//
// Pure: no clock, no thread.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "common/base/clock.h"
#include "common/job/error_class.h"

namespace phasor::worker {

struct CordonConfig {
  int failures = 3;          // of different jobs in a row
  Millis cool_down{30'000};  // until the first probe
  Millis longest{600'000};   // cool-down at most
};

class Cordon {
 public:
  explicit Cordon(CordonConfig config) : config_(config), cool_down_(config.cool_down) {}

  // A job came out: the worker is sound.
  void Succeeded();
  // A job failed. Neither a success nor the worker's fault, it changes nothing.
  void Failed(const std::string& job, job::ErrorClass error, SteadyTime now);

  // True while no job may be taken. Once the cool-down is over one may.
  bool IsClosed(SteadyTime now) const { return until_.has_value() && now < *until_; }
  // True from the first cordon until a job comes out, probes included.
  bool doubts() const { return until_.has_value(); }

 private:
  const CordonConfig config_;
  std::set<std::string> failed_;  // jobs in a row
  Millis cool_down_;
  std::optional<SteadyTime> until_;
};

}  // namespace phasor::worker
