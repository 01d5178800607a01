// A gateway as the commands see it: calls that repeat themselves while the gateway is away, and
// streams that open again where they broke. Every call is safe to repeat: a submit carries its
// idempotency key.
//
// One thread. Statuses carry the gateway's field violations and retry delays
// (common/rpc/status_convert.h); CANCELLED after an interrupt.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "phasor/v1/images.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"
#include "services/cli/interrupt.h"

namespace phasor::cli {

struct ClientPatience {
  Millis first{3'000};   // for a gateway that has not answered yet
  Millis later{60'000};  // for one that has
};

class Client {
 public:
  static StatusOr<std::unique_ptr<Client>> Make(const std::string& address, Interrupt& interrupt,
                                                ClientPatience patience = {});

  const std::string& address() const { return address_; }

  StatusOr<v1::SubmitResponse> Submit(const v1::GenerateRequest& request);
  StatusOr<v1::Job> Get(const std::string& id);
  // Also works after an interrupt: it is what an interrupt does.
  StatusOr<v1::Job> Cancel(const std::string& id);
  StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);
  StatusOr<v1::ListModelsResponse> Models();
  StatusOr<v1::Model> Model(const std::string& name);
  StatusOr<v1::StatsResponse> Stats();

  // Follows a job to its end and returns it as it ended.
  using OnEvent = std::function<void(const v1::WatchEvent&)>;
  StatusOr<v1::Job> Watch(const std::string& id, bool previews, const OnEvent& on_event);

  // The pictures of a DONE job with their data, in order.
  StatusOr<std::vector<v1::ImageResult>> Pictures(const std::string& id);

 private:
  Client(std::string address, std::shared_ptr<grpc::Channel> channel, Interrupt& interrupt,
         ClientPatience patience);

  // Calls `attempt` until it is not UNAVAILABLE, it was for too long, or there is an interrupt.
  Status Repeat(const std::function<grpc::Status(grpc::ClientContext*)>& attempt,
                bool interruptible = true);
  // Waits before the next attempt; false when there is none.
  bool WaitToRetry(SteadyTime since, int failures);
  grpc::Status WatchOnce(grpc::ClientContext* context, const v1::WatchRequest& request,
                         const OnEvent& on_event, v1::Job* ended);

  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
  Interrupt& interrupt_;
  const ClientPatience patience_;
  const SystemClock clock_;
  const std::unique_ptr<v1::Images::Stub> images_;
  const std::unique_ptr<v1::Models::Stub> models_;
  const std::unique_ptr<v1::Admin::Stub> admin_;
  bool answered_ = false;
};

}  // namespace phasor::cli
