// phasor-bench-queue ROLE --redis URL ...: one process of the queue benchmark, on a Redis that runs
// already. bench/queue/compare.py starts all that it needs and drives it (progress.h).
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "bench/queue/roles.h"
#include "common/flags/command.h"

int main(int argc, char** argv) {
  using namespace phasor;
  const std::map<std::string, std::function<Status(const bench::QueueLoad&)>> roles = {
      {"produce", bench::Produce}, {"consume", bench::Consume}, {"takes", bench::MeasureTakes}};
  bench::QueueLoad load;
  std::string role;
  flags::CommandLine line("phasor-bench-queue",
                          "One process of the queue benchmark: bench/queue/compare.py drives it");
  line.OneOf("role", {"produce", "consume", "takes"}, &role, "what it does").Required();
  line.Text("--redis", &load.redis, "unix:///path or redis://host:port").Required();
  line.Whole("--jobs", &load.jobs, "in all", 1, 100'000'000);
  line.Whole("--workers", &load.workers, "calling threads", 1, 1024);
  line.Whole("--connections", &load.connections, "among which they are divided", 1, 64);
  line.Whole("--batch", &load.batch, "jobs of one submit", 1, 1000);
  line.Whole("--payload", &load.payload, "bytes of a job", 0, 1 << 20);
  line.Whole("--tenants", &load.tenants, "that jobs are of", 1, 1'000'000);
  const auto parsed = line.Parse(argc, argv, std::cout);
  if (parsed.ok() && !*parsed) return 0;
  const Status status = parsed.ok() ? roles.at(role)(load) : parsed.status();
  if (status.ok()) return 0;
  std::cerr << "phasor-bench-queue: " << status << "\n";
  return 1;
}
