// Lets a gateway serve while it belongs to its fleet (common/queue/fleet_check.h): in front of the
// producer and of the store, whose calls are UNAVAILABLE while it must not, so that clients go on
// to another gateway. Says in the log and in a metric what is wrong.
//
// Tick: one thread. The rest is thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/metrics/registry.h"
#include "common/queue/fleet_check.h"
#include "common/queue/queue.h"
#include "common/storage/gated_store.h"

namespace phasor::gateway {

class FleetGate {
 public:
  struct Parts {                              // all outlive the gate
    queue::Foundation* foundation = nullptr;  // null: the gate is always open
    queue::Producer* producer = nullptr;
    storage::ResultStore* store = nullptr;
    const Clock* clock = nullptr;
    metrics::Registry* metrics = nullptr;
    std::string secret;
    bool allow_job_loss = false;
  };
  explicit FleetGate(const Parts& parts);

  Status Tick();

  // What to use instead of those behind the gate.
  queue::Producer* producer() { return &producer_; }
  storage::ResultStore* store() { return &store_; }

  // As FleetCheck has them.
  Status ready() const { return open_ ? OkStatus() : check_.ready(); }
  Status refused() const { return open_ ? OkStatus() : check_.refused(); }
  std::string job_loss() const { return check_.job_loss(); }

 private:
  Status Serve() const;

  // A producer that is only asked while the gate is open.
  class Producer final : public queue::Producer {
   public:
    explicit Producer(const FleetGate* gate, queue::Producer* producer)
        : gate_(gate), producer_(producer) {}
    StatusOr<queue::SubmitReply> Submit(const queue::SubmitRequest& request) override;
    std::vector<StatusOr<queue::SubmitReply>> SubmitAll(
        const std::vector<queue::SubmitRequest>& requests) override;
    StatusOr<queue::State> Cancel(const job::JobId& id, const job::Caller& caller) override;
    StatusOr<queue::JobView> Get(const job::JobId& id, const job::Caller& caller) override;
    StatusOr<queue::ListReply> List(const queue::ListRequest& request) override;
    StatusOr<queue::RedriveReply> Redrive(const job::JobId& id, const job::Caller& caller) override;

   private:
    const FleetGate* const gate_;
    queue::Producer* const producer_;
  };

  const bool open_;  // for good
  queue::FleetCheck check_;
  Producer producer_;
  storage::GatedStore store_;
  metrics::Gauge& ready_gauge_;
  metrics::Gauge& loss_gauge_;
  std::string said_;  // last in the log; Tick's thread
};

}  // namespace phasor::gateway
