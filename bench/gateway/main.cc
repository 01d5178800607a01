// phasor-bench-gateway: Submit calls per second of a gateway next to an empty echo server's,
// without and with idempotency keys, in alternating rounds under the same load.
// bench/gateway/run.sh starts all that it needs.
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
  bool keys = false;
  std::vector<double> rates = {};
};

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

int Main(int argc, char** argv) {
  LoadOptions options;
  Side echo = {.name = "echo", .address = ""};
  Side gateway = {.name = "gateway", .address = ""};
  int rounds = 5;
  CLI::App app("Submit calls per second of a gateway next to an empty echo server's.",
               "phasor-bench-gateway");
  app.add_option("--echo", echo.address, "address of phasor-bench-echo")->required();
  app.add_option("--gateway", gateway.address, "address of phasor-gateway")->required();
  app.add_option("--rounds", rounds, "of each side")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds, "of each round")->check(CLI::Range(0.1, 3600.0));
  app.add_option("--in-flight", options.in_flight, "calls at any time")
      ->check(CLI::Range(1, 10000));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  std::vector<Side> sides = {echo, gateway};
  sides.push_back({.name = "keys", .address = gateway.address, .keys = true});
  const Status status = RunRounds(options, rounds, &sides);
  if (!status.ok()) {
    std::cerr << "phasor-bench-gateway: " << status.message() << "\n";
    return 1;
  }
  const double of_echo = Median(sides[0].rates);
  const double of_gateway = Median(sides[1].rates);
  std::printf("\nmedian: gateway %.0f calls/s, echo %.0f calls/s, ratio %.1f %%\n", of_gateway,
              of_echo, 100 * of_gateway / of_echo);
  for (size_t i = 2; i < sides.size(); ++i) {
    const double rate = Median(sides[i].rates);
    std::printf("%s: %.0f calls/s, %.1f %% of the gateway without keys\n", sides[i].name, rate,
                100 * rate / of_gateway);
  }
  return 0;
}

}  // namespace
}  // namespace phasor::bench

int main(int argc, char** argv) { return phasor::bench::Main(argc, argv); }
