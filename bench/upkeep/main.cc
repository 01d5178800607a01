// phasor-bench-upkeep --redis URL ...: fills a Redis and a store for the upkeep benchmark.
// bench/upkeep/measure.py starts all that it needs and drives it.
#include <iostream>

#include "bench/upkeep/load.h"
#include "common/flags/command.h"

int main(int argc, char** argv) {
  using namespace phasor;
  bench::UpkeepLoad load;
  flags::CommandLine line(
      "phasor-bench-upkeep",
      "Fills a queue for the upkeep benchmark: bench/upkeep/measure.py drives it");
  line.Text("--redis", &load.redis, "unix:///path or redis://host:port").Required();
  line.Text("--store", &load.store, "folder or URL for terminal records");
  line.Whole("--ended", &load.ended, "jobs", 0, 10'000'000);
  line.Whole("--live", &load.live, "jobs", 0, 10'000'000);
  line.Whole("--models", &load.models, "that jobs are for", 1, 100'000);
  line.Whole("--tenants", &load.tenants, "that jobs are of", 1, 10'000'000);
  line.Whole("--threads", &load.threads, "that submit", 1, 1024);
  line.Whole("--payload", &load.payload, "bytes of a job's spec", 0, 1 << 20);
  line.Whole("--deadline-after", &load.deadline_after, "seconds, of the jobs that wait");
  const auto parsed = line.Parse(argc, argv, std::cout);
  if (parsed.ok() && !*parsed) return 0;
  const Status status = parsed.ok() ? bench::Fill(load) : parsed.status();
  if (status.ok()) return 0;
  std::cerr << "phasor-bench-upkeep: " << status << "\n";
  return 1;
}
