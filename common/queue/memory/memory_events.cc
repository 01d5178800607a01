#include "common/queue/memory/memory_events.h"

#include <deque>
#include <thread>
#include <utility>

namespace phasor::queue {
namespace {
constexpr size_t kMaxWaiting = 4096;
}  // namespace

struct MemoryEvents::Listeners {
  Mutex mu;
  std::list<Listener*> all GUARDED_BY(mu);
};

class MemoryEvents::Listener final : public Subscription {
 public:
  Listener(std::shared_ptr<Listeners> listeners, std::function<void(const Event&)> on_event)
      : listeners_(std::move(listeners)), on_event_(std::move(on_event)) {
    MutexLock lock(&listeners_->mu);
    listeners_->all.push_back(this);
    thread_ = std::thread([this] { Run(); });
  }

  ~Listener() override {
    {
      MutexLock lock(&listeners_->mu);
      listeners_->all.remove(this);
    }
    {
      MutexLock lock(&mu_);
      stopped_ = true;
    }
    thread_.join();
  }

  void Push(const Event& event) {
    MutexLock lock(&mu_);
    if (waiting_.size() == kMaxWaiting) waiting_.pop_front();
    waiting_.push_back(event);
  }

 private:
  bool HasWork() const REQUIRES_LOCK(mu_) { return stopped_ || !waiting_.empty(); }

  void Run() {
    while (true) {
      Event event;
      {
        MutexLock lock(&mu_);
        mu_.Await(absl::Condition(this, &Listener::HasWork));
        if (stopped_) return;
        event = std::move(waiting_.front());
        waiting_.pop_front();
      }
      on_event_(event);
    }
  }

  const std::shared_ptr<Listeners> listeners_;
  const std::function<void(const Event&)> on_event_;
  Mutex mu_;
  std::deque<Event> waiting_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

MemoryEvents::MemoryEvents() : listeners_(std::make_shared<Listeners>()) {}
MemoryEvents::~MemoryEvents() = default;

void MemoryEvents::Publish(const Event& event) {
  MutexLock lock(&listeners_->mu);
  for (Listener* listener : listeners_->all) listener->Push(event);
}

std::unique_ptr<Subscription> MemoryEvents::Subscribe(std::function<void(const Event&)> on_event) {
  return std::make_unique<Listener>(listeners_, std::move(on_event));
}

}  // namespace phasor::queue
