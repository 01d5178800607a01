#include "bench/queue/roles.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "bench/queue/progress.h"
#include "common/base/hash.h"
#include "common/base/mutex.h"

namespace phasor::bench {
namespace {

constexpr char kModel[] = "bench";
constexpr Millis kPoll{100};

// The first error of several threads.
class FirstError {
 public:
  bool Keep(const Status& status) {
    if (status.ok()) return false;
    MutexLock lock(&mu_);
    if (first_.ok()) first_ = status;
    failed_ = true;
    return true;
  }
  bool failed() const { return failed_; }
  Status first() {
    MutexLock lock(&mu_);
    return first_;
  }

 private:
  Mutex mu_;
  Status first_ GUARDED_BY(mu_);
  std::atomic<bool> failed_ = false;
};

// Runs `work(i)` for each i below `count`, on threads of their own.
void OnThreads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> pool;
  for (int i = 0; i < count; ++i) pool.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : pool) thread.join();
}

class Connections {
 public:
  Connections(const queue::RedisOptions& options, int count) {
    for (int i = 0; i < count; ++i) queues_.push_back(std::make_unique<queue::RedisQueue>(options));
  }
  queue::RedisQueue& of(int worker) const {
    return *queues_[static_cast<size_t>(worker) % queues_.size()];
  }

 private:
  std::vector<std::unique_ptr<queue::RedisQueue>> queues_;
};

queue::SubmitRequest Request(const QueueLoad& load, int n) {
  queue::SubmitRequest request;
  request.tenant = "tenant-" + std::to_string(n % load.tenants);
  request.id = job::MakeJobId("bench", request.tenant, std::to_string(n));
  request.model = kModel;
  request.fingerprint = Sha256Hex(request.id);
  request.spec.assign(static_cast<size_t>(load.payload), 'x');
  return request;
}

queue::TakeRequest NextTake() {
  queue::TakeRequest take;
  take.worker = "bench";
  take.node = "bench";
  take.nonce = RandomToken();
  take.models = {kModel};
  return take;
}

Status SubmitBatch(queue::Producer& producer, const QueueLoad& load, int begin, int end) {
  std::vector<queue::SubmitRequest> requests;
  for (int n = begin; n < end; ++n) requests.push_back(Request(load, n));
  for (const auto& reply : producer.SubmitAll(requests)) {
    RETURN_IF_ERROR(reply.status());
    if (reply->outcome != queue::SubmitOutcome::kAccepted) return Internal("a job was refused");
  }
  return OkStatus();
}

// A worker as services/worker has it: the job in hand is completed with the call that takes the
// next one.
class BenchWorker {
 public:
  explicit BenchWorker(queue::Consumer& consumer) : consumer_(consumer) {}

  // How many jobs this completed.
  StatusOr<int> Next() {
    if (!held_) {
      ASSIGN_OR_RETURN(held_, consumer_.Take(NextTake()));
      return 0;
    }
    ASSIGN_OR_RETURN(queue::NextJob next,
                     consumer_.CompleteAndTake({held_->fence, "result"}, NextTake()));
    held_ = std::move(next.grant);
    if (next.completed != queue::OwnerAnswer::kOk) return Internal("a result was refused");
    return 1;
  }
  bool idle() const { return !held_; }

 private:
  queue::Consumer& consumer_;
  std::optional<queue::Grant> held_;
};

// Milliseconds that the take took.
StatusOr<double> TakeAndComplete(queue::Consumer& consumer) {
  const queue::TakeRequest take = NextTake();
  const SteadyTime start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const std::optional<queue::Grant> grant, consumer.Take(take));
  const double seconds = SecondsBetween(start, std::chrono::steady_clock::now());
  if (!grant) return NotFound("the queue is empty");
  ASSIGN_OR_RETURN(const queue::OwnerAnswer answer, consumer.Complete(grant->fence, "result"));
  if (answer != queue::OwnerAnswer::kOk) return Internal("a result was refused");
  return 1000 * seconds;
}

}  // namespace

StatusOr<queue::RedisOptions> OptionsOf(const QueueLoad& load) {
  queue::RedisOptions options;
  ASSIGN_OR_RETURN(options.address, queue::ParseRedisUrl(load.redis));
  options.command_timeout = std::chrono::seconds(10);
  return options;
}

Status Produce(const QueueLoad& load) {
  ASSIGN_OR_RETURN(const queue::RedisOptions options, OptionsOf(load));
  queue::RedisQueue queue(options);
  queue::QueueLimits limits;
  limits.max_jobs = limits.max_per_tenant = 100'000'000;
  RETURN_IF_ERROR(queue.SetLimits(limits));
  WaitForGo();
  Progress progress;
  FirstError error;
  std::atomic<int> next = 0;
  OnThreads(load.workers, [&](int) {
    while (!error.failed()) {
      const int begin = next.fetch_add(load.batch);
      if (begin >= load.jobs) return;
      const int end = std::min(begin + load.batch, load.jobs);
      if (error.Keep(SubmitBatch(queue, load, begin, end))) return;
      progress.Add(end - begin);
    }
  });
  return error.first();
}

Status Consume(const QueueLoad& load) {
  ASSIGN_OR_RETURN(const queue::RedisOptions options, OptionsOf(load));
  const Connections queues(options, load.connections);
  RETURN_IF_ERROR(queues.of(0).Stats().status());
  WaitForGo();
  Progress progress;
  FirstError error;
  // Shared: after an error nobody waits for the end of the input.
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  std::thread([ended] {
    WaitForEnd();
    *ended = true;
  }).detach();
  OnThreads(load.workers, [&](int worker) {
    queue::RedisQueue& queue = queues.of(worker);
    BenchWorker bench_worker(queue);
    while (!*ended && !error.failed()) {
      const StatusOr<int> done = bench_worker.Next();
      if (error.Keep(done.status())) return;
      if (*done > 0) progress.Add(*done);
      if (bench_worker.idle()) queue.WaitForWork(kPoll);
    }
  });
  return error.first();
}

Status MeasureTakes(const QueueLoad& load) {
  ASSIGN_OR_RETURN(const queue::RedisOptions options, OptionsOf(load));
  const Connections queues(options, load.connections);
  RETURN_IF_ERROR(queues.of(0).Stats().status());
  WaitForGo();
  std::vector<double> millis(static_cast<size_t>(load.jobs));
  FirstError error;
  std::atomic<size_t> next = 0;
  OnThreads(load.workers, [&](int worker) {
    for (size_t n = next++; n < millis.size() && !error.failed(); n = next++) {
      const StatusOr<double> took = TakeAndComplete(queues.of(worker));
      if (!error.Keep(took.status())) millis[n] = *took;
    }
  });
  std::sort(millis.begin(), millis.end());
  const auto percentile = [&](double p) {
    return millis[static_cast<size_t>(p * static_cast<double>(millis.size() - 1))];
  };
  std::printf("{\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n", percentile(0.5),
              percentile(0.99), millis.back());
  return error.first();
}

}  // namespace phasor::bench
