// Orders to workers that are answered: each goes out with a number, and its caller hears what came
// of it, once, whatever becomes of the worker or the stream. Thread-safe; never blocks. Callers are
// called without a lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "phasor/v1/worker.pb.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

class WorkerOrders {
 public:
  // Both outlive the orders.
  WorkerOrders(WorkerRegistry* workers, const Clock* clock) : workers_(workers), clock_(clock) {}

  // Bytes of the device's memory that were freed. Errors: the worker's own, NOT_FOUND (no such
  // worker reports here), UNAVAILABLE (its stream broke), DEADLINE_EXCEEDED.
  using Done = std::function<void(const StatusOr<int64_t>& freed)>;

  // `message` is one that carries a number, which is put in here.
  void Send(const std::string& worker, v1::GatewayMessage message, Done done);

  void OnDone(const v1::OrderDone& answer);
  void OnDisconnect(const std::string& worker);
  // Gives up what takes too long.
  void Tick();

 private:
  struct Open {
    std::string worker;
    SteadyTime until;
    Done done;
  };
  // Ends those that `which` chooses.
  void End(const std::function<bool(const Open&)>& which, const Status& why);

  WorkerRegistry* const workers_;
  const Clock* const clock_;
  Mutex mu_;
  int64_t last_ GUARDED_BY(mu_) = 0;
  std::map<int64_t, Open> open_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
