// phasor-bench-upkeep --redis URL ...: fills a Redis and a store for the upkeep benchmark.
// bench/upkeep/measure.py starts all that it needs and drives it.
#include <iostream>

#include <CLI/CLI.hpp>

#include "bench/upkeep/load.h"

int main(int argc, char** argv) {
  using namespace phasor;
  bench::UpkeepLoad load;
  CLI::App app("Fills a queue for the upkeep benchmark: bench/upkeep/measure.py drives it",
               "phasor-bench-upkeep");
  app.add_option("--redis", load.redis, "unix:///path or redis://host:port")->required();
  app.add_option("--store", load.store, "folder or URL for terminal records");
  app.add_option("--ended", load.ended)->check(CLI::Range(0, 10'000'000));
  app.add_option("--live", load.live)->check(CLI::Range(0, 10'000'000));
  app.add_option("--models", load.models)->check(CLI::Range(1, 100'000));
  app.add_option("--tenants", load.tenants)->check(CLI::Range(1, 10'000'000));
  app.add_option("--threads", load.threads)->check(CLI::Range(1, 1024));
  app.add_option("--payload", load.payload, "bytes of a job's spec")->check(CLI::Range(0, 1 << 20));
  app.add_option("--deadline-after", load.deadline_after, "seconds, of the jobs that wait");
  CLI11_PARSE(app, argc, argv);
  const Status status = bench::Fill(load);
  if (status.ok()) return 0;
  std::cerr << "phasor-bench-upkeep: " << status << "\n";
  return 1;
}
