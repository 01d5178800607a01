#include "services/gateway/upkeep/preempter.h"

#include "common/log/log.h"

namespace phasor::gateway {

Preempter::Preempter(queue::Maintenance* maintenance, WorkerRegistry* workers,
                     metrics::Registry* metrics)
    : maintenance_(maintenance),
      workers_(workers),
      asked_(*metrics->Counters("preemptions_asked_total",
                                "Jobs that this gateway's call asked to make room.")) {}

Status Preempter::Tick() {
  ASSIGN_OR_RETURN(const auto preemptions, maintenance_->Preempt(queue::kMaxPreemptions));
  for (const queue::Preemption& one : preemptions) {
    v1::GatewayMessage message;
    message.mutable_preempt()->set_job_id(one.id);
    // A worker that does not report here hears of it when it renews its lease.
    (void)workers_->SendTo(one.worker, message);
    if (one.repeated) continue;
    asked_.Increment();
    log::Info("job asked to make room", {{"job_id", one.id}, {"worker", one.worker}});
  }
  return OkStatus();
}

}  // namespace phasor::gateway
