#include "services/worker/fleet_gate.h"

#include <utility>

#include "common/log/log.h"
#include "common/storage/identity.h"

namespace phasor::worker {

namespace {

constexpr Millis kEvery{1'000};

}  // namespace

FleetGate::FleetGate(const Parts& parts)
    : check_({.foundation = parts.foundation,
              .clock = parts.clock,
              .identify_store =
                  [store = parts.store](const std::string& remembered) {
                    return storage::Identify(*store, remembered);
                  },
              .store_is_new = [store = parts.store] { return storage::HasNoJobs(*store); },
              .secret = "",
              .allow_job_loss = parts.allow_job_loss}),
      queue_(&check_, parts.queue),
      store_(parts.store, [this] { return check_.serve(); }) {}

void FleetGate::Tick() {
  const Status ready = check_.Look();
  const std::string now = ready.ok() ? "" : Message(ready);
  if (now == said_) return;
  if (ready.ok()) {
    log::Info("in order with the fleet again");
  } else {
    const bool waits = ready.code() == StatusCode::kUnavailable;
    log::Warn(waits ? "waiting for Redis or the store" : "not in order with the fleet",
              {{"why", ready}});
  }
  said_ = now;
}

Status FleetGate::Start() {
  Tick();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  return refused();
}

bool FleetGate::TurnsAway() {
  if (turned_away_ || refused().ok()) return false;
  turned_away_ = true;
  return true;
}

void FleetGate::Run(const std::stop_token& stop) {
  Mutex mu;
  CondVar stopped;
  const std::stop_callback wake(stop, [&] {
    MutexLock lock(&mu);
    stopped.SignalAll();
  });
  while (!stop.stop_requested()) {
    Tick();
    MutexLock lock(&mu);
    if (!stop.stop_requested()) stopped.WaitFor(&mu, kEvery);
  }
}

// Never UNAVAILABLE: nothing was sent, so no grant can have been lost.
StatusOr<std::optional<queue::Grant>> FleetGate::Queue::Take(const queue::TakeRequest& request) {
  const Status open = check_->serve();
  if (open.code() == StatusCode::kUnavailable) return Aborted(Message(open));
  if (!open.ok()) return FailedPrecondition(Message(open));
  return queue_->Take(request);
}

StatusOr<queue::NextJob> FleetGate::Queue::CompleteAndTake(const queue::Completion& done,
                                                           const queue::TakeRequest& request) {
  if (check_->serve().ok()) return queue_->CompleteAndTake(done, request);
  ASSIGN_OR_RETURN(const queue::OwnerAnswer answer, queue_->Complete(done.fence, done.result));
  return queue::NextJob{answer, std::nullopt};
}

}  // namespace phasor::worker
