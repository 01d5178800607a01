// phasor-queue-bench --redis URL [--threads N] [--jobs N] [--queued N] [--spec-bytes N]
//
// Measures the queue on a Redis that runs already (its database is emptied first): submits per
// second, cycles of submit + take + complete per second on top of `--queued` waiting jobs, the
// latency of a take, and memory per queued job. One line of JSON, so that runs can be compared.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "common/base/hash.h"
#include "common/queue/redis/redis_queue.h"

namespace phasor::queue {
namespace {

struct BenchConfig {
  std::string url;
  int threads = 64;
  int jobs = 50'000;
  int queued = 0;
  int spec_bytes = 300;
};

SubmitRequest Request(const BenchConfig& config, int n) {
  SubmitRequest request;
  request.id = job::MakeJobId("bench", "tenant", std::to_string(n));
  request.model = "bench";
  request.tenant = "tenant-" + std::to_string(n % 16);
  request.fingerprint = "f";
  request.spec.assign(static_cast<size_t>(config.spec_bytes), 'x');
  return request;
}

void Must(const Status& status) {
  if (status.ok()) return;
  std::cerr << "phasor-queue-bench: " << status << "\n";
  std::exit(1);
}

// Runs `work(n)` for n in [0, count) on all threads; seconds it took.
double Run(int threads, int count, const std::function<void(int)>& work) {
  std::atomic<int> next = 0;
  const SteadyTime start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i) {
    pool.emplace_back([&] {
      for (int n = next++; n < count; n = next++) work(n);
    });
  }
  for (std::thread& thread : pool) thread.join();
  return SecondsBetween(start, std::chrono::steady_clock::now());
}

int64_t UsedMemory(RedisConnection& connection) {
  const std::string info = connection.Call({"INFO", "memory"})->text;
  return std::atoll(info.c_str() + info.find("used_memory:") + 12);
}

int Bench(const BenchConfig& config) {
  RedisOptions options;
  const StatusOr<RedisAddress> address = ParseRedisUrl(config.url);
  Must(address.status());
  options.address = *address;
  options.command_timeout = std::chrono::seconds(10);
  StatusOr<std::unique_ptr<RedisConnection>> plain = RedisConnection::Connect(options);
  Must(plain.status());
  Must((*plain)->Call({"FLUSHDB"}).status());
  RedisQueue queue(options);
  QueueLimits limits;
  limits.max_jobs = limits.max_per_tenant = 10'000'000;
  Must(queue.SetLimits(limits));

  const int64_t memory_before = UsedMemory(**plain);
  const int submits = std::max(config.queued, config.jobs);
  const double submit_seconds =
      Run(config.threads, submits, [&](int n) { Must(queue.Submit(Request(config, n)).status()); });
  const double bytes_per_job = static_cast<double>(UsedMemory(**plain) - memory_before) / submits;

  std::vector<double> take_millis(static_cast<size_t>(config.jobs));
  const auto take_and_complete = [&](int n) {
    TakeRequest take;
    take.worker = "bench";
    take.nonce = RandomToken();
    take.models = {"bench"};
    const SteadyTime start = std::chrono::steady_clock::now();
    StatusOr<std::optional<Grant>> grant = queue.Take(take);
    Must(grant.status());
    take_millis[static_cast<size_t>(n)] =
        1000 * SecondsBetween(start, std::chrono::steady_clock::now());
    if (*grant) Must(queue.Complete((*grant)->fence, "result").status());
  };
  if (submits > config.queued) {
    Run(config.threads, submits - config.queued, take_and_complete);
  }
  const double cycle_seconds = Run(config.threads, config.jobs, [&](int n) {
    Must(queue.Submit(Request(config, 100'000'000 + n)).status());
    take_and_complete(n);
  });
  std::sort(take_millis.begin(), take_millis.end());
  const auto percentile = [&](double p) {
    return take_millis[static_cast<size_t>(p * static_cast<double>(take_millis.size() - 1))];
  };
  std::printf(
      "{\"threads\": %d, \"queued\": %d, \"submits_per_second\": %.0f, \"cycles_per_second\": "
      "%.0f, "
      "\"take_p50_ms\": %.3f, \"take_p99_ms\": %.3f, \"bytes_per_queued_job\": %.0f}\n",
      config.threads, config.queued, submits / submit_seconds, config.jobs / cycle_seconds,
      percentile(0.5), percentile(0.99), bytes_per_job);
  return 0;
}

}  // namespace
}  // namespace phasor::queue

int main(int argc, char** argv) {
  phasor::queue::BenchConfig config;
  CLI::App app("Measures the queue on a running Redis, whose database it empties first");
  app.add_option("--redis", config.url, "unix:///path or redis://host:port")->required();
  app.add_option("--threads", config.threads, "calling threads")->check(CLI::Range(1, 1024));
  app.add_option("--jobs", config.jobs, "cycles to measure")->check(CLI::Range(1, 10'000'000));
  app.add_option("--queued", config.queued, "jobs that wait all the time");
  app.add_option("--spec-bytes", config.spec_bytes, "size of a job")->check(CLI::Range(0, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  return phasor::queue::Bench(config);
}
