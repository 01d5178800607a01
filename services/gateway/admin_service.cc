#include "services/gateway/admin_service.h"

#include "common/rpc/spec_convert.h"
#include "services/gateway/unary_call.h"

namespace phasor::gateway {

grpc::ServerUnaryReactor* AdminService::Stats(grpc::CallbackServerContext* call,
                                              const v1::StatsRequest* /*request*/,
                                              v1::StatsResponse* response) {
  return AnswerInPool(call, parts_.pool, [this, response] { return FillStats(response); });
}

Status AdminService::FillStats(v1::StatsResponse* response) {
  ASSIGN_OR_RETURN(const queue::QueueStats stats, parts_.maintenance->Stats());
  response->set_gateway(parts_.gateway);
  response->set_version(parts_.version);
  response->set_uptime_seconds(SecondsBetween(started_, parts_.clock->Steady()));
  for (const auto& [model, depth] : stats.models) {
    v1::QueueDepth* shown = response->add_queues();
    shown->set_model(model);
    for (const auto& [priority, ready] : depth.ready) {
      v1::ClassDepth* one = shown->add_classes();
      one->set_priority(rpc::ToProto(priority));
      one->set_ready(ready);
    }
    shown->set_running(depth.running);
    shown->set_delayed(depth.delayed);
    shown->set_oldest_age_seconds(static_cast<double>(depth.oldest_age_ms) / 1000);
  }
  for (v1::WorkerStats& worker : parts_.workers->Snapshot()) {
    *response->add_workers() = std::move(worker);
  }
  response->set_live_jobs(stats.live);
  response->set_dead_letters(stats.dead);
  response->set_paused(stats.paused);
  return OkStatus();
}

}  // namespace phasor::gateway
