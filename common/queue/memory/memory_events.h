// An EventChannel inside one process: each subscription has a thread and a bounded queue; a slow
// subscriber loses its oldest events. Thread-safe.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "common/base/mutex.h"
#include "common/queue/queue.h"

namespace phasor::queue {

class MemoryEvents {
 public:
  MemoryEvents();
  ~MemoryEvents();

  void Publish(const Event& event);
  std::unique_ptr<Subscription> Subscribe(std::function<void(const Event&)> on_event);

 private:
  class Listener;
  struct Listeners;
  std::shared_ptr<Listeners> listeners_;  // outlives this object while subscriptions exist
};

}  // namespace phasor::queue
