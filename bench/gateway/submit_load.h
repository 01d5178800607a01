// A closed-loop load of Submit calls: so many calls in flight at any time over a few connections,
// for so long. One thread calls Run; gRPC's threads carry the calls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/tls/source.h"

namespace phasor::bench {

struct LoadOptions {
  std::string address;
  int connections = 4;
  int in_flight = 64;  // over all connections
  double seconds = 3;
  bool keys = false;            // each call with an idempotency key of its own
  std::string credential = {};  // of each call; empty: none
  // Whom the connections trust, and what they show; null: plain text.
  std::shared_ptr<tls::Source> tls = {};
};

struct LoadResult {
  int64_t calls = 0;
  int64_t errors = 0;
  std::string first_error;
  double seconds = 0;
  std::vector<float> latencies;  // of each call, seconds, sorted

  double rate() const { return static_cast<double>(calls) / seconds; }
  // `share` of the calls were faster, in milliseconds.
  double LatencyMillis(double share) const;
};

// UNAVAILABLE if the first call does not get through.
StatusOr<LoadResult> RunSubmitLoad(const LoadOptions& options);

}  // namespace phasor::bench
