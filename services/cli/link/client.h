// A fleet's gateways as the commands see them: calls that repeat themselves while a gateway is
// away, on the next one where there are several, and streams that open again where they broke.
// Every call is safe to repeat: a submit carries its idempotency key.
//
// One thread. Statuses carry the gateway's field violations and retry delays
// (common/rpc/status_details.h); CANCELLED after an interrupt.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/client_context.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "services/cli/link/gateways.h"
#include "services/cli/link/interrupt.h"

namespace phasor::cli {

struct ClientPatience {
  Millis first{3'000};   // for gateways that have not answered yet
  Millis later{60'000};  // once one has
};

class Client {
 public:
  static StatusOr<std::unique_ptr<Client>> Make(const Link& link, Interrupt& interrupt,
                                                ClientPatience patience = {});

  // A unary method, e.g. Ask(&v1::Images::Stub::Get, request). `timeout`: of one attempt, where the
  // work itself may take long; 0: the usual.
  template <typename Stub, typename Request, typename Reply>
  StatusOr<Reply> Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                      const Request& request, Millis timeout = Millis(0)) {
    Reply reply;
    const Millis limit = timeout.count() > 0 ? timeout : call_timeout();
    const Status status = Repeat(limit, [&](grpc::ClientContext* context) {
      return (gateways_.stub<Stub>().*method)(context, request, &reply);
    });
    if (!status.ok()) return status;
    return reply;
  }

  StatusOr<v1::SubmitResponse> Submit(const v1::GenerateRequest& request);
  // Also works after an interrupt: it is what an interrupt does.
  StatusOr<v1::Job> Cancel(const std::string& id);

  // Follows a job to its end and returns it as it ended.
  using OnEvent = std::function<void(const v1::WatchEvent&)>;
  StatusOr<v1::Job> Watch(const std::string& id, bool previews, const OnEvent& on_event);
  // The same of a job that `request` named. Should the fleet come back without it (its queue was
  // restored from older data), the request is sent again: its key names the same job.
  StatusOr<v1::Job> WatchSubmitted(const v1::GenerateRequest& request, const std::string& id,
                                   const OnEvent& on_event);

  // The pictures of a DONE job with their data, in order.
  StatusOr<std::vector<v1::ImageResult>> Pictures(const std::string& id);

 private:
  Client(Gateways gateways, std::string trace_parent, Interrupt& interrupt,
         ClientPatience patience);

  // Calls `attempt` until a gateway is there to answer, none was for too long, or there is an
  // interrupt.
  using Attempt = std::function<grpc::Status(grpc::ClientContext*)>;
  Status Repeat(Millis timeout, const Attempt& attempt, bool interruptible = true);
  Millis call_timeout() const;
  // After a failed attempt: goes on to the next gateway, and waits when all of them have failed;
  // false when there is no further attempt.
  bool GoOn(SteadyTime since, int failures);
  Status StatusOf(const grpc::Status& status) const;
  bool IsAway(const Status& status) const;
  grpc::Status WatchOnce(grpc::ClientContext* context, const v1::WatchRequest& request,
                         const OnEvent& on_event, v1::Job* ended);

  Gateways gateways_;
  const std::string trace_parent_;
  Interrupt& interrupt_;
  const ClientPatience patience_;
  const SystemClock clock_;
  bool answered_ = false;
};

}  // namespace phasor::cli
