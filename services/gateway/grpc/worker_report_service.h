// phasor.v1.WorkerReport: one bidirectional stream per worker. Reports go to the registry and, as
// progress, to the event channel; commands come from the registry. Thread-safe.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "common/base/mutex.h"
#include "common/queue/queue.h"
#include "phasor/v1/worker.grpc.pb.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/worker_orders.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

using RawWorkerReport = v1::WorkerReport::WithRawCallbackMethod_Report<v1::WorkerReport::Service>;

class WorkerReportService final : public RawWorkerReport {
 public:
  struct Parts {  // all outlive the service
    WorkerRegistry* registry = nullptr;
    WorkerOrders* orders = nullptr;
    queue::EventChannel* events = nullptr;
    WorkPool* pool = nullptr;
    std::string gateway;  // its name, told in Welcome
  };
  explicit WorkerReportService(const Parts& parts);
  ~WorkerReportService() override;

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Report(
      grpc::CallbackServerContext* call) override;

  // Ends all streams and every later one with UNAVAILABLE: workers go to another gateway.
  void Close();

 private:
  class Stream;
  struct Streams;

  const Parts parts_;
  const std::shared_ptr<Streams> streams_;
};

}  // namespace phasor::gateway
