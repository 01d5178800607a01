// phasor-bench-queue ROLE --redis URL ...: one process of the queue benchmark, on a Redis that runs
// already. bench/queue/compare.py starts all that it needs and drives it (progress.h).
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "bench/queue/roles.h"

int main(int argc, char** argv) {
  using namespace phasor;
  const std::map<std::string, std::function<Status(const bench::QueueLoad&)>> roles = {
      {"produce", bench::Produce}, {"consume", bench::Consume}, {"takes", bench::MeasureTakes}};
  bench::QueueLoad load;
  std::string role;
  CLI::App app("One process of the queue benchmark: bench/queue/compare.py drives it",
               "phasor-bench-queue");
  app.add_option("role", role, "produce, consume or takes")
      ->required()
      ->check(CLI::IsMember(roles));
  app.add_option("--redis", load.redis, "unix:///path or redis://host:port")->required();
  app.add_option("--jobs", load.jobs)->check(CLI::Range(1, 100'000'000));
  app.add_option("--workers", load.workers, "calling threads")->check(CLI::Range(1, 1024));
  app.add_option("--connections", load.connections)->check(CLI::Range(1, 64));
  app.add_option("--batch", load.batch, "jobs of one submit")->check(CLI::Range(1, 1000));
  app.add_option("--payload", load.payload, "bytes of a job")->check(CLI::Range(0, 1 << 20));
  app.add_option("--tenants", load.tenants)->check(CLI::Range(1, 1'000'000));
  CLI11_PARSE(app, argc, argv);
  const Status status = roles.at(role)(load);
  if (status.ok()) return 0;
  std::cerr << "phasor-bench-queue: " << status << "\n";
  return 1;
}
