// phasor.v1.Admin: Stats. Thread-safe; blocks only in the work pool.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/queue/queue.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "services/gateway/work_pool.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

class AdminService final : public v1::Admin::CallbackService {
 public:
  struct Parts {  // all outlive the service
    queue::Maintenance* maintenance = nullptr;
    WorkerRegistry* workers = nullptr;
    WorkPool* pool = nullptr;
    const Clock* clock = nullptr;
    std::string gateway;  // its name
    std::string version;
  };
  explicit AdminService(const Parts& parts) : parts_(parts), started_(parts.clock->Steady()) {}

  grpc::ServerUnaryReactor* Stats(grpc::CallbackServerContext* call,
                                  const v1::StatsRequest* request,
                                  v1::StatsResponse* response) override;

 private:
  Status FillStats(v1::StatsResponse* response);

  const Parts parts_;
  const SteadyTime started_;
};

}  // namespace phasor::gateway
