#include "bench/gateway/rounds.h"

#include <algorithm>
#include <cstdio>

namespace phasor::bench {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Status RunRounds(const LoadOptions& base, int rounds, std::vector<Side>* sides) {
  std::printf("%-6s %-10s %10s %9s %9s %9s %7s\n", "round", "server", "calls/s", "p50 ms", "p95 ms",
              "p99 ms", "errors");
  for (int round = 1; round <= rounds; ++round) {
    for (Side& side : *sides) {
      LoadOptions options = base;
      options.address = side.address;
      options.keys = side.keys;
      options.credential = side.credential;
      options.tls = side.tls;
      ASSIGN_OR_RETURN(const LoadResult result, RunSubmitLoad(options));
      side.rates.push_back(result.rate());
      std::printf("%-6d %-10s %10.0f %9.2f %9.2f %9.2f %7lld\n", round, side.name, result.rate(),
                  result.LatencyMillis(0.5), result.LatencyMillis(0.95), result.LatencyMillis(0.99),
                  static_cast<long long>(result.errors));
      std::fflush(stdout);
      if (result.errors > 0) return Internal(std::string(side.name) + ": " + result.first_error);
    }
  }
  return OkStatus();
}

}  // namespace phasor::bench
