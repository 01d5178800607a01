// phasor-bench-gateway: Submit calls per second of a gateway next to an empty echo server's, in
// alternating rounds under the same load. bench/gateway/run.sh starts all that it needs.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/gateway/submit_load.h"

namespace phasor::bench {
namespace {

struct Side {
  const char* name;
  std::string address;
  std::vector<double> rates;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Status RunRounds(const LoadOptions& base, int rounds, std::vector<Side>* sides) {
  std::printf("%-6s %-8s %10s %9s %9s %9s %7s\n", "round", "server", "calls/s", "p50 ms", "p95 ms",
              "p99 ms", "errors");
  for (int round = 1; round <= rounds; ++round) {
    for (Side& side : *sides) {
      LoadOptions options = base;
      options.address = side.address;
      ASSIGN_OR_RETURN(const LoadResult result, RunSubmitLoad(options));
      side.rates.push_back(result.rate());
      std::printf("%-6d %-8s %10.0f %9.2f %9.2f %9.2f %7lld\n", round, side.name, result.rate(),
                  result.LatencyMillis(0.5), result.LatencyMillis(0.95), result.LatencyMillis(0.99),
                  static_cast<long long>(result.errors));
      std::fflush(stdout);
      if (result.errors > 0) return Internal(std::string(side.name) + ": " + result.first_error);
    }
  }
  return OkStatus();
}

int Main(int argc, char** argv) {
  LoadOptions options;
  std::vector<Side> sides = {{.name = "echo", .address = "", .rates = {}},
                             {.name = "gateway", .address = "", .rates = {}}};
  int rounds = 5;
  CLI::App app("Submit calls per second of a gateway next to an empty echo server's.",
               "phasor-bench-gateway");
  app.add_option("--echo", sides[0].address, "address of phasor-bench-echo")->required();
  app.add_option("--gateway", sides[1].address, "address of phasor-gateway")->required();
  app.add_option("--rounds", rounds, "of each side")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds, "of each round")->check(CLI::Range(0.1, 3600.0));
  app.add_option("--in-flight", options.in_flight, "calls at any time")
      ->check(CLI::Range(1, 10000));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  const Status status = RunRounds(options, rounds, &sides);
  if (!status.ok()) {
    std::cerr << "phasor-bench-gateway: " << status.message() << "\n";
    return 1;
  }
  const double echo = Median(sides[0].rates);
  const double gateway = Median(sides[1].rates);
  std::printf("\nmedian: gateway %.0f calls/s, echo %.0f calls/s, ratio %.1f %%\n", gateway, echo,
              100 * gateway / echo);
  return 0;
}

}  // namespace
}  // namespace phasor::bench

int main(int argc, char** argv) { return phasor::bench::Main(argc, argv); }
