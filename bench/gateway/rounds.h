// Rounds of the gateway's benchmark: each side in turn under the same load. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/gateway/submit_load.h"
#include "common/base/status.h"

namespace phasor::bench {

struct Side {
  const char* name;
  std::string address;
  size_t base = 0;              // the side that this one is compared with
  bool keys = false;            // submits carry idempotency keys
  std::string credential = {};  // calls carry it; empty: none
  std::shared_ptr<tls::Source> tls = {};
  std::vector<double> rates = {};  // calls a second, of each round
};

double Median(std::vector<double> values);

// Prints a line for each round and side, and fills their rates. INTERNAL for the first call that
// fails.
Status RunRounds(const LoadOptions& base, int rounds, std::vector<Side>* sides);

}  // namespace phasor::bench
