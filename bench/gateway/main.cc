// phasor-bench-gateway: Submit calls per second, of several servers in alternating rounds under the
// same load: a gateway next to an empty echo server, without and with idempotency keys and an API
// key; or a gateway in plain text next to ones with TLS. bench/gateway/run.sh starts all that it
// needs.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "bench/gateway/rounds.h"
#include "bench/gateway/sides.h"
#include "common/flags/command.h"

namespace phasor::bench {
namespace {

int Report(const Status& status, int exit_code) {
  std::cerr << "phasor-bench-gateway: " << status.message() << "\n";
  return exit_code;
}

int Main(int argc, char** argv) {
  LoadOptions options;
  SideWords words;
  int rounds = 5;
  flags::CommandLine line("phasor-bench-gateway",
                          "Submit calls per second of servers in turns, under the same load.");
  AddSides(line, &words);
  line.Whole("--rounds", &rounds, "of each side", 1, 1000);
  line.Number("--seconds", &options.seconds, "of each round", 0.1, 3600);
  line.Whole("--in-flight", &options.in_flight, "calls at any time", 1, 10000);
  line.Whole("--connections", &options.connections, "to each side", 1, 100);
  const auto parsed = line.Parse(argc, argv, std::cout);
  if (!parsed.ok()) return Report(parsed.status(), 2);
  if (!*parsed) return 0;
  auto sides = PlanSides(words);
  if (!sides.ok()) return Report(sides.status(), 2);
  const Status status = RunRounds(options, rounds, &*sides);
  if (!status.ok()) return Report(status, 1);
  const std::vector<Side>& ran = *sides;
  std::printf("\nmedian of %d rounds\n", rounds);
  for (const Side& side : ran) {
    const double rate = Median(side.rates);
    std::printf("%-10s %10.0f calls/s  %6.1f %% of %s\n", side.name, rate,
                100 * rate / Median(ran[side.base].rates), ran[side.base].name);
  }
  return 0;
}

}  // namespace
}  // namespace phasor::bench

int main(int argc, char** argv) { return phasor::bench::Main(argc, argv); }
