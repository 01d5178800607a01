// phasor.v1.Admin: the queue's state, its limits and its dead letters; the workers that report to
// this gateway; what the store can let go. Thread-safe; blocks only in the work pool.
#pragma once

#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/queue/queue.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "services/gateway/flow/cleanup_flow.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

class AdminService final : public v1::Admin::CallbackService {
 public:
  struct Parts {  // all outlive the service
    queue::Maintenance* maintenance = nullptr;
    queue::Control* control = nullptr;
    JobReader* reader = nullptr;
    CleanupFlow* cleanup = nullptr;
    WorkerRegistry* workers = nullptr;
    WorkPool* pool = nullptr;
    const Clock* clock = nullptr;
    std::string gateway;  // its name
    std::string version;
    std::function<std::string()> job_loss;  // why jobs may be lost; empty: they are not
  };
  explicit AdminService(const Parts& parts) : parts_(parts), started_(parts.clock->Steady()) {}

  using Call = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* Stats(Call* call, const v1::StatsRequest* request, v1::StatsResponse* response) override;
  Reactor* Cleanup(Call* call, const v1::CleanupRequest* request,
                   v1::CleanupResponse* response) override;
  Reactor* Pause(Call* call, const v1::PauseRequest* request, v1::PauseResponse* response) override;
  Reactor* Resume(Call* call, const v1::ResumeRequest* request,
                  v1::ResumeResponse* response) override;
  Reactor* Drain(Call* call, const v1::DrainRequest* request, v1::DrainResponse* response) override;
  Reactor* Migrate(Call* call, const v1::MigrateRequest* request,
                   v1::MigrateResponse* response) override;
  Reactor* DeadLetters(Call* call, const v1::DeadLettersRequest* request,
                       v1::DeadLettersResponse* response) override;
  Reactor* SetLimits(Call* call, const v1::SetLimitsRequest* request,
                     v1::SetLimitsResponse* response) override;

 private:
  Status FillStats(v1::StatsResponse* response);
  Status SetPaused(bool paused);
  Status DrainWorker(const std::string& name);
  Status MigrateJob(const std::string& worker, v1::MigrateResponse* response);
  Status ListDeadLetters(const v1::DeadLettersRequest& request, const job::Caller& caller,
                         v1::DeadLettersResponse* response);
  Status ChangeLimits(const v1::SetLimitsRequest& request, v1::SetLimitsResponse* response);

  const Parts parts_;
  const SteadyTime started_;
};

}  // namespace phasor::gateway
