// What a client is told of a job that came out: the engine's report and the worker's clock as the
// API's message. Pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/queue/types.h"
#include "engine/api/engine.h"
#include "phasor/v1/types.pb.h"

namespace phasor::worker {

struct ResultFacts {
  const queue::Grant& grant;
  const std::map<std::string, double>& seconds;  // by phase
  // Of runs of this try that came before the one that came out.
  const std::vector<engine::Degradation>& earlier;
  std::string worker;
  bool from_cache = false;
};

// Without pictures, which the terminal record lists.
v1::Result ResultOf(const engine::RunReport& report, const ResultFacts& facts);

// The most that any unit took, and was expected to; 0: not measured.
uint64_t PeakOf(const engine::RunReport& report);
uint64_t PredictedPeakOf(const engine::RunReport& report);

}  // namespace phasor::worker
