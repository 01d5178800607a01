// What the threads of a simulated fleet measured. Thread-safe.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::bench {

enum class Sample {
  kSubmit,     // the call
  kTake,       // the call of an idle worker that got a job
  kNextTake,   // the call that completed a job and got the next
  kEmptyTake,  // the call of a worker that got none
  kRenew,      // the call
  kPublish,    // the call
  kReach,      // from the submit to an idle worker's having the job
  kWork,       // how long jobs were in hand
};
inline constexpr int kSamples = 8;

class Tally {
 public:
  void Add(Sample kind, double seconds);
  void Add(Sample kind, SteadyTime begin) {
    Add(kind, SecondsBetween(begin, std::chrono::steady_clock::now()));
  }
  // Something that a fleet should not see; it is counted by its words.
  void AddTrouble(const std::string& what);
  void Reset();

  // {"seconds": since the reset, "take": {"count", "sum_s", "p50_ms", "p99_ms", "max_ms"}, ...,
  //  "trouble": {what: how often}}
  std::string Json();

 private:
  Mutex mu_;
  SteadyTime begin_ GUARDED_BY(mu_) = std::chrono::steady_clock::now();
  std::array<std::vector<double>, kSamples> seconds_ GUARDED_BY(mu_);
  std::map<std::string, int> trouble_ GUARDED_BY(mu_);
};

}  // namespace phasor::bench
