// phasor-bench-fleet --redis URL --workers N ...: a simulated fleet on a Redis that runs already.
// bench/fleet_sim/measure.py starts all that it needs and drives it.
#include <iostream>

#include "bench/fleet_sim/orders.h"
#include "common/flags/command.h"

int main(int argc, char** argv) {
  using namespace phasor;
  bench::FleetLoad load;
  flags::CommandLine line(
      "phasor-bench-fleet",
      "Thousands of workers on one Redis: bench/fleet_sim/measure.py drives it");
  line.Text("--redis", &load.redis, "unix:///path or redis://host:port").Required();
  line.Whole("--workers", &load.workers, "that take jobs", 1, 100'000);
  line.Whole("--gateways", &load.gateways, "that submit, tell of progress and do upkeep", 1, 64);
  line.Whole("--models", &load.models, "that each worker runs", 1, 64);
  line.Whole("--tenants", &load.tenants, "that jobs are of", 1, 1'000'000);
  line.Whole("--payload", &load.payload, "bytes of a job's spec", 8, 1 << 20);
  line.Whole("--poll", &load.poll_ms,
             "milliseconds that idle workers wait for work; 0: as workers do", 0, 60'000);
  line.Whole("--checkers", &load.checkers, "threads that check the fleet as each process does", 0,
             64);
  line.Whole("--lease", &load.lease_ms, "milliseconds", 1'000, 600'000);
  line.Whole("--steps", &load.steps, "units of a job", 1, 1'000);
  line.Number("--checkpoint-every", &load.checkpoint_every, "seconds of work; 0: never", 0, 3'600);
  const auto parsed = line.Parse(argc, argv, std::cout);
  if (parsed.ok() && !*parsed) return 0;
  const Status status = parsed.ok() ? bench::Obey(load, std::cin, std::cout) : parsed.status();
  if (status.ok()) return 0;
  std::cerr << "phasor-bench-fleet: " << status << "\n";
  return 1;
}
