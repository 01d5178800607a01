// Threads for what blocks (Redis, the store), so that gRPC's event threads never do. The queue is
// bounded: a full one refuses at once, and the caller tells the client to come back.
// Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/metrics/registry.h"

namespace phasor::gateway {

class WorkPool {
 public:
  using Work = std::function<void()>;

  struct Config {
    int threads = 16;
    size_t max_queued = 4096;
  };

  // `metrics` outlives the pool.
  WorkPool(const Config& config, metrics::Registry* metrics);
  ~WorkPool();

  // False, and `work` is not run, when the queue is full or the pool is stopped.
  [[nodiscard]] bool TryPost(Work work);

  // Runs what is queued to its end, then joins the threads. Idempotent.
  void Stop();

 private:
  void Run();
  bool HasNews() const REQUIRES_LOCK(mu_) { return stopped_ || !queue_.empty(); }

  const size_t max_queued_;
  metrics::Gauge& queued_;
  metrics::Counter& refused_;

  Mutex mu_;
  std::deque<Work> queue_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
  CondVar news_;

  std::vector<std::thread> threads_;
};

}  // namespace phasor::gateway
