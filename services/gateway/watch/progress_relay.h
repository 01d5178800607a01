// Publishes one worker's progress to all gateways: at most one publish at a time, in order, and
// when the channel is slower than the worker only the newest progress (with the newest preview)
// goes out. Lossy by design. Thread-safe; Offer never blocks.
#pragma once

#include <memory>
#include <optional>

#include "common/base/mutex.h"
#include "common/queue/queue.h"
#include "services/gateway/flow/work_pool.h"

namespace phasor::gateway {

class ProgressRelay : public std::enable_shared_from_this<ProgressRelay> {
 public:
  // Both outlive the relay.
  ProgressRelay(queue::EventChannel* channel, WorkPool* pool);

  void Offer(queue::Event event);

 private:
  void Publish();

  queue::EventChannel* const channel_;
  WorkPool* const pool_;

  Mutex mu_;
  std::optional<queue::Event> progress_ GUARDED_BY(mu_);
  std::optional<queue::Event> preview_ GUARDED_BY(mu_);
  bool publishing_ GUARDED_BY(mu_) = false;
};

}  // namespace phasor::gateway
