#include "services/gateway/flow/work_pool.h"

#include <utility>

#include "common/rpc/status_details.h"

namespace phasor::gateway {

WorkPool::WorkPool(const Config& config, metrics::Registry* metrics)
    : max_threads_(config.threads),
      max_queued_(config.max_queued),
      queued_(
          metrics
              ->Gauges("gateway_work_queued", "Calls that wait for a thread of a pool.", {"pool"})
              .With({config.name})),
      refused_(metrics
                   ->Counters("gateway_work_refused_total",
                              "Calls refused because too many waited for a thread of a pool.",
                              {"pool"})
                   .With({config.name})) {}

WorkPool::~WorkPool() { Stop(); }

bool WorkPool::TryPost(Work work) {
  {
    MutexLock lock(&mu_);
    if (!stopped_ && queue_.size() < max_queued_) {
      queue_.push_back(std::move(work));
      queued_.Set(static_cast<double>(queue_.size()));
      const bool short_of_threads = queue_.size() > static_cast<size_t>(idle_);
      if (short_of_threads && threads_.size() < static_cast<size_t>(max_threads_)) {
        threads_.emplace_back([this] { Run(); });
      }
      news_.Signal();
      return true;
    }
  }
  refused_.Increment();
  return false;
}

void WorkPool::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    threads.swap(threads_);
    news_.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void WorkPool::Run() {
  for (;;) {
    Work work;
    {
      MutexLock lock(&mu_);
      ++idle_;
      while (!HasNews()) news_.Wait(&mu_);
      --idle_;
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      queued_.Set(static_cast<double>(queue_.size()));
    }
    work();
  }
}

Status BusyStatus() {
  return rpc::WithRetryAfter(ResourceExhausted("the gateway has too many calls to answer"),
                             Millis(500));
}

}  // namespace phasor::gateway
