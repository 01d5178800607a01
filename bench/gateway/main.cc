// phasor-bench-gateway: Submit calls per second of a gateway next to an empty echo server's,
// without and with idempotency keys, in alternating rounds under the same load.
// bench/gateway/run.sh starts all that it needs.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "bench/gateway/rounds.h"
#include "common/base/file.h"
#include "common/flags/command.h"

namespace phasor::bench {
namespace {

int Main(int argc, char** argv) {
  LoadOptions options;
  Side echo = {.name = "echo", .address = ""};
  Side gateway = {.name = "gateway", .address = ""};
  Side guarded = {.name = "api key", .address = ""};
  std::string key_file;
  int rounds = 5;
  flags::CommandLine line("phasor-bench-gateway",
                          "Submit calls per second of a gateway next to an empty echo server's.");
  line.Text("--echo", &echo.address, "address of phasor-bench-echo").Required();
  line.Text("--gateway", &gateway.address, "address of phasor-gateway").Required();
  line.Text("--guarded", &guarded.address, "address of one that asks for API keys");
  line.Text("--key-file", &key_file, "file with a key for it");
  line.Whole("--rounds", &rounds, "of each side", 1, 1000);
  line.Number("--seconds", &options.seconds, "of each round", 0.1, 3600);
  line.Whole("--in-flight", &options.in_flight, "calls at any time", 1, 10000);
  line.Whole("--connections", &options.connections, "to each side", 1, 100);
  const auto parsed = line.Parse(argc, argv, std::cout);
  if (!parsed.ok()) std::cerr << "phasor-bench-gateway: " << parsed.status().message() << "\n";
  if (!parsed.ok() || !*parsed) return parsed.ok() ? 0 : 2;
  std::vector<Side> sides = {echo, gateway};
  sides.push_back({.name = "keys", .address = gateway.address, .keys = true});
  if (!guarded.address.empty()) {
    const auto key = ReadFile(key_file, 1000);
    if (!key.ok()) std::cerr << "phasor-bench-gateway: " << key.status().message() << "\n";
    if (!key.ok()) return 2;
    guarded.credential = key->substr(0, key->find('\n'));
    sides.push_back(guarded);
  }
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
