// Threads for what blocks (Redis, the store), so that gRPC's event threads never do. The queue is
// bounded: a full one refuses at once, and the caller tells the client to come back. Threads come
// into being when they are first needed. What may hang on one thing must not keep what needs
// another from a thread, so there are several pools, told apart by their names.
// Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"

namespace phasor::gateway {

class WorkPool {
 public:
  using Work = std::function<void()>;

  struct Config {
    std::string name = "calls";  // label of the metrics
    int threads = 16;
    size_t max_queued = 4096;
  };

  // `metrics` outlives the pool.
  WorkPool(const Config& config, metrics::Registry* metrics);
  ~WorkPool();

  // False, and `work` is not run, when the queue is full or the pool is stopped.
  [[nodiscard]] bool TryPost(Work work);
  int threads() const { return max_threads_; }

  // Runs what is queued to its end, then joins the threads. Idempotent.
  void Stop();

 private:
  void Run();
  bool HasNews() const REQUIRES_LOCK(mu_) { return stopped_ || !queue_.empty(); }

  const int max_threads_;
  const size_t max_queued_;
  metrics::Gauge& queued_;
  metrics::Counter& refused_;

  Mutex mu_;
  std::deque<Work> queue_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
  int idle_ GUARDED_BY(mu_) = 0;
  std::vector<std::thread> threads_ GUARDED_BY(mu_);
  CondVar news_;
};

// What a client is told whose call no pool took: RESOURCE_EXHAUSTED with RetryInfo. The gateway,
// not the queue, is full.
Status BusyStatus();

}  // namespace phasor::gateway
