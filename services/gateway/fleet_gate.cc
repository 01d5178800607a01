#include "services/gateway/fleet_gate.h"

#include <utility>

#include "common/log/log.h"
#include "common/storage/identity.h"

namespace phasor::gateway {

FleetGate::FleetGate(const Parts& parts)
    : open_(parts.foundation == nullptr),
      check_({.foundation = parts.foundation,
              .clock = parts.clock,
              .identify_store =
                  [store = parts.store](const std::string& remembered) {
                    return storage::Identify(*store, remembered);
                  },
              .store_is_new = [store = parts.store] { return storage::HasNoJobs(*store); },
              .secret = parts.secret,
              .allow_job_loss = parts.allow_job_loss}),
      producer_(this, parts.producer),
      store_(parts.store, [this] { return Serve(); }),
      ready_gauge_(*parts.metrics->Gauges(
          "fleet_ready", "1 while Redis, the store and the secret are as the fleet needs them.")),
      loss_gauge_(*parts.metrics->Gauges(
          "queue_may_lose_jobs",
          "1 while Redis may lose accepted jobs: it evicts keys or has no append-only file.")) {}

Status FleetGate::Tick() {
  if (open_) return OkStatus();
  const Status ready = check_.Look();
  const std::string loss = check_.job_loss();
  ready_gauge_.Set(ready.ok() ? 1 : 0);
  loss_gauge_.Set(loss.empty() ? 0 : 1);
  const std::string now = ready.ok() ? loss : Message(ready);
  if (now != said_ && ready.ok() && loss.empty()) log::Info("in order with the fleet again");
  if (now != said_ && ready.ok() && !loss.empty()) log::Warn("jobs may be lost", {{"why", loss}});
  if (now != said_ && !ready.ok()) {
    const bool waits = ready.code() == StatusCode::kUnavailable;
    log::Warn(waits ? "waiting for Redis or the store" : "not in order with the fleet",
              {{"why", ready}});
  }
  said_ = now;
  return OkStatus();
}

Status FleetGate::Serve() const {
  if (open_) return OkStatus();
  const Status serve = check_.serve();
  return serve.ok() ? serve : Unavailable("this gateway does not serve now: " + Message(serve));
}

StatusOr<queue::SubmitReply> FleetGate::Producer::Submit(const queue::SubmitRequest& request) {
  RETURN_IF_ERROR(gate_->Serve());
  return producer_->Submit(request);
}

std::vector<StatusOr<queue::SubmitReply>> FleetGate::Producer::SubmitAll(
    const std::vector<queue::SubmitRequest>& requests) {
  const Status open = gate_->Serve();
  if (open.ok()) return producer_->SubmitAll(requests);
  return std::vector<StatusOr<queue::SubmitReply>>(requests.size(), open);
}

StatusOr<queue::State> FleetGate::Producer::Cancel(const job::JobId& id,
                                                   const job::Caller& caller) {
  RETURN_IF_ERROR(gate_->Serve());
  return producer_->Cancel(id, caller);
}

StatusOr<queue::JobView> FleetGate::Producer::Get(const job::JobId& id, const job::Caller& caller) {
  RETURN_IF_ERROR(gate_->Serve());
  return producer_->Get(id, caller);
}

StatusOr<queue::ListReply> FleetGate::Producer::List(const queue::ListRequest& request) {
  RETURN_IF_ERROR(gate_->Serve());
  return producer_->List(request);
}

StatusOr<queue::RedriveReply> FleetGate::Producer::Redrive(const job::JobId& id,
                                                           const job::Caller& caller) {
  RETURN_IF_ERROR(gate_->Serve());
  return producer_->Redrive(id, caller);
}

}  // namespace phasor::gateway
