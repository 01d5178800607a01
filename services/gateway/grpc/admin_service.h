// phasor.v1.Admin: the queue's state, its limits and its dead letters; the workers that report to
// this gateway; what the store can let go. All methods are raw and parse their requests themselves
// (message_bytes.h). Thread-safe; blocks only in the work pool.
#pragma once

#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/queue/queue.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "services/gateway/flow/cleanup_flow.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/worker_orders.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

using RawAdmin = v1::Admin::WithRawCallbackMethod_Stats<
    v1::Admin::WithRawCallbackMethod_Cleanup<v1::Admin::WithRawCallbackMethod_Pause<
        v1::Admin::WithRawCallbackMethod_Resume<v1::Admin::WithRawCallbackMethod_Drain<
            v1::Admin::WithRawCallbackMethod_Migrate<v1::Admin::WithRawCallbackMethod_DeadLetters<
                v1::Admin::WithRawCallbackMethod_SetLimits<v1::Admin::CallbackService>>>>>>>>;

class AdminService final : public RawAdmin {
 public:
  struct Parts {  // all outlive the service
    queue::Maintenance* maintenance = nullptr;
    queue::Control* control = nullptr;
    JobReader* reader = nullptr;
    CleanupFlow* cleanup = nullptr;
    WorkerRegistry* workers = nullptr;
    WorkerOrders* orders = nullptr;
    WorkPool* pool = nullptr;
    const Clock* clock = nullptr;
    std::string gateway;  // its name
    std::string version;
    std::function<std::string()> job_loss;  // why jobs may be lost; empty: they are not
  };
  explicit AdminService(const Parts& parts) : parts_(parts), started_(parts.clock->Steady()) {}

  using Call = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  using Bytes = grpc::ByteBuffer;
  Reactor* Stats(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Cleanup(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Pause(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Resume(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Drain(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Migrate(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* DeadLetters(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* SetLimits(Call* call, const Bytes* bytes, Bytes* response) override;

 private:
  Status FillStats(v1::StatsResponse* response);
  Reactor* CleanUpWorker(Call* call, const std::string& worker, Bytes* response);
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
