// Fills a queue, and a result store if there is one, with the jobs of a week: many that ended, and
// some that wait, spread over models, classes and tenants. Through the queue's ports, so that it
// lies in Redis as this version of Phasor writes it.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::bench {

struct UpkeepLoad {
  std::string redis;
  std::string store;  // empty: no terminal records
  int ended = 300'000;
  int live = 50'000;
  int models = 200;
  int tenants = 5'000;
  int threads = 16;
  int payload = 400;       // bytes of a job's spec
  int deadline_after = 0;  // seconds from now, of all that wait; 0: none
};

// Submits, takes and completes `ended` jobs, then submits `live` ones.
Status Fill(const UpkeepLoad& load);

}  // namespace phasor::bench
