// Lets a worker take jobs and write results while it belongs to its fleet
// (common/queue/fleet_check.h). While it must not, no job is taken and the store's calls are
// UNAVAILABLE, so a job in hand waits with its lease kept; its owner's calls go through. A take
// answers ABORTED while it is only not known yet, for Redis or the store does not answer, and
// FAILED_PRECONDITION when something is wrong.
//
// Tick: one thread. The rest is thread-safe.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "common/queue/fleet_check.h"
#include "common/queue/queue.h"
#include "common/storage/gated_store.h"

namespace phasor::worker {

class FleetGate {
 public:
  struct Parts {  // all outlive the gate
    queue::Foundation* foundation = nullptr;
    queue::Consumer* queue = nullptr;
    storage::ResultStore* store = nullptr;
    const Clock* clock = nullptr;
    bool allow_job_loss = false;
  };
  explicit FleetGate(const Parts& parts);

  void Tick();
  // A tick, and one about every second from now on. Returns refused().
  Status Start();

  // What to use instead of those behind the gate.
  queue::Consumer& queue() { return queue_; }
  storage::ResultStore& store() { return store_; }

  // As FleetCheck has them.
  Status ready() const { return check_.ready(); }
  Status refused() const { return check_.refused(); }
  // True once: when the process turns out to be refused. One thread.
  bool TurnsAway();

 private:
  class Queue final : public queue::Consumer {
   public:
    Queue(const queue::FleetCheck* check, queue::Consumer* queue) : check_(check), queue_(queue) {}
    StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest& request) override;
    void WaitForWork(Millis timeout) override { queue_->WaitForWork(timeout); }
    StatusOr<queue::NextJob> CompleteAndTake(const queue::Completion& done,
                                             const queue::TakeRequest& request) override;
    StatusOr<queue::OwnerAnswer> Renew(const queue::RenewRequest& request) override {
      return queue_->Renew(request);
    }
    StatusOr<queue::OwnerAnswer> Complete(const queue::Fence& fence,
                                          const std::string& result) override {
      return queue_->Complete(fence, result);
    }
    StatusOr<queue::FailOutcome> Fail(const queue::Failure& failure) override {
      return queue_->Fail(failure);
    }
    StatusOr<queue::OwnerAnswer> Release(const queue::Fence& fence, const std::string& checkpoint,
                                         int step) override {
      return queue_->Release(fence, checkpoint, step);
    }

   private:
    const queue::FleetCheck* const check_;
    queue::Consumer* const queue_;
  };

  void Run(const std::stop_token& stop);

  queue::FleetCheck check_;
  Queue queue_;
  storage::GatedStore store_;
  std::string said_;  // last in the log; Tick's thread
  bool turned_away_ = false;
  std::jthread thread_;  // after what it uses
};

}  // namespace phasor::worker
