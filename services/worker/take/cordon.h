// When a worker doubts itself, for one of its models or as a whole. Several different jobs in a row
// that fail for reasons of the worker or its node (job::BlamesNode) may be chance, bad jobs or a
// bad node. So that neither uses up the tries of all jobs there are, no more are taken until the
// worker has tested itself (self_check.h). A test that comes out clears it: the jobs were to blame.
// After one that fails the worker waits for a while, each time twice as long, and tests again. No
// job is ever taken as a probe.
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
  Millis cool_down{30'000};  // after the first test that fails
  Millis longest{600'000};   // cool-down at most
  Millis longest_pause{
      8'000};  // before a test, where earlier ones came out and jobs fail all the same
};

class Cordon {
 public:
  explicit Cordon(CordonConfig config) : config_(config), cool_down_(config.cool_down) {}

  // A job came out: the worker is sound.
  void Succeeded();
  // A job failed here that had not failed anywhere before: one that had says nothing new.
  void Failed(const std::string& job, job::ErrorClass error, SteadyTime now);
  // A test, due or not, has ended.
  void Tested(bool sound, SteadyTime now);

  // True while no job may be taken.
  bool IsClosed() const { return test_at_.has_value(); }
  bool TestIsDue(SteadyTime now) const { return test_at_.has_value() && now >= *test_at_; }

 private:
  const CordonConfig config_;
  std::set<std::string> failed_;  // jobs in a row
  int cleared_ = 0;               // tests that came out since the last job that did
  Millis cool_down_;
  std::optional<SteadyTime> test_at_;
};

}  // namespace phasor::worker
