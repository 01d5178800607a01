#include "services/gateway/work_pool.h"

#include <utility>

namespace phasor::gateway {

WorkPool::WorkPool(const Config& config, metrics::Registry* metrics)
    : max_queued_(config.max_queued),
      queued_(*metrics->Gauges("gateway_work_queued", "Calls that wait for a thread.")),
      refused_(*metrics->Counters("gateway_work_refused_total",
                                  "Calls refused because too many waited for a thread.")) {
  for (int i = 0; i < config.threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkPool::~WorkPool() { Stop(); }

bool WorkPool::TryPost(Work work) {
  {
    MutexLock lock(&mu_);
    if (!stopped_ && queue_.size() < max_queued_) {
      queue_.push_back(std::move(work));
      queued_.Set(static_cast<double>(queue_.size()));
      news_.Signal();
      return true;
    }
  }
  refused_.Increment();
  return false;
}

void WorkPool::Stop() {
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    news_.SignalAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkPool::Run() {
  for (;;) {
    Work work;
    {
      MutexLock lock(&mu_);
      while (!HasNews()) news_.Wait(&mu_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      queued_.Set(static_cast<double>(queue_.size()));
    }
    work();
  }
}

}  // namespace phasor::gateway
