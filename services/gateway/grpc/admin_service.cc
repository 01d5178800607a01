#include "services/gateway/grpc/admin_service.h"

#include "common/log/log.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_convert.h"
#include "services/gateway/grpc/caller_of.h"
#include "services/gateway/grpc/limits_convert.h"
#include "services/gateway/grpc/unary_call.h"

namespace phasor::gateway {
namespace {

// How long a worker leaves its migrated job to others: longer than an idle one looks for work.
constexpr double kRestSeconds = 3;

}  // namespace

AdminService::Reactor* AdminService::Stats(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::StatsRequest, v1::StatsResponse>(
      call, parts_.pool, bytes, response,
      [this](const v1::StatsRequest&, v1::StatsResponse* reply) { return FillStats(reply); });
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
  response->set_job_loss(parts_.job_loss());
  return OkStatus();
}

AdminService::Reactor* AdminService::Cleanup(Call* call, const Bytes* bytes, Bytes* response) {
  v1::CleanupRequest asked;
  if (ParseMessage(*bytes, &asked).ok() && !asked.worker().empty()) {
    return CleanUpWorker(call, asked.worker(), response);
  }
  return AnswerInPool<v1::CleanupRequest, v1::CleanupResponse>(
      call, parts_.pool, bytes, response,
      [this, call](const v1::CleanupRequest&, v1::CleanupResponse* reply) {
        const Status status =
            Give(parts_.cleanup->Run([call] { return call->IsCancelled(); }), reply);
        if (status.ok()) log::Info("store swept on request", {{"what", reply->ShortDebugString()}});
        return status;
      });
}

// Answered when the worker has done it; until then it takes no thread.
AdminService::Reactor* AdminService::CleanUpWorker(Call* call, const std::string& worker,
                                                   Bytes* response) {
  Reactor* reactor = call->DefaultReactor();
  v1::GatewayMessage message;
  message.mutable_cleanup();
  parts_.orders->Send(worker, message, [reactor, response](const StatusOr<int64_t>& freed) {
    v1::CleanupResponse reply;
    if (freed.ok()) reply.set_freed_bytes(*freed);
    if (freed.ok()) *response = ToBytes(reply);
    reactor->Finish(rpc::ToGrpc(freed.status()));
  });
  return reactor;
}

AdminService::Reactor* AdminService::Pause(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::PauseRequest, v1::PauseResponse>(
      call, parts_.pool, bytes, response,
      [this](const v1::PauseRequest&, v1::PauseResponse*) { return SetPaused(true); });
}

AdminService::Reactor* AdminService::Resume(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::ResumeRequest, v1::ResumeResponse>(
      call, parts_.pool, bytes, response,
      [this](const v1::ResumeRequest&, v1::ResumeResponse*) { return SetPaused(false); });
}

Status AdminService::SetPaused(bool paused) {
  RETURN_IF_ERROR(parts_.control->SetPaused(paused));
  log::Info(paused ? "queue paused" : "queue resumed");
  return OkStatus();
}

AdminService::Reactor* AdminService::Drain(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::DrainRequest, v1::DrainResponse>(
      call, parts_.pool, bytes, response,
      [this](const v1::DrainRequest& request, v1::DrainResponse*) {
        return DrainWorker(request.worker());
      });
}

Status AdminService::DrainWorker(const std::string& name) {
  RETURN_IF_ERROR(parts_.workers->Find(name).status());
  v1::GatewayMessage message;
  message.mutable_drain();
  if (!parts_.workers->SendTo(name, message)) return parts_.workers->Find(name).status();
  log::Info("worker asked to drain", {{"worker", name}});
  return OkStatus();
}

AdminService::Reactor* AdminService::Migrate(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::MigrateRequest, v1::MigrateResponse>(
      call, parts_.pool, bytes, response,
      [this](const v1::MigrateRequest& request, v1::MigrateResponse* reply) {
        return MigrateJob(request.worker(), reply);
      });
}

Status AdminService::MigrateJob(const std::string& worker, v1::MigrateResponse* response) {
  ASSIGN_OR_RETURN(const v1::WorkerStats stats, parts_.workers->Find(worker));
  if (stats.job_id().empty()) return FailedPrecondition("worker " + worker + " has no job");
  v1::GatewayMessage message;
  message.mutable_preempt()->set_job_id(stats.job_id());
  message.mutable_preempt()->set_rest_seconds(kRestSeconds);
  if (!parts_.workers->SendTo(worker, message)) return parts_.workers->Find(worker).status();
  response->set_job_id(stats.job_id());
  log::Info("job asked to move", {{"job_id", stats.job_id()}, {"worker", worker}});
  return OkStatus();
}

AdminService::Reactor* AdminService::DeadLetters(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::DeadLettersRequest, v1::DeadLettersResponse>(
      call, parts_.pool, bytes, response,
      [this, call](const v1::DeadLettersRequest& request, v1::DeadLettersResponse* reply) {
        return ListDeadLetters(request, CallerOf(*call), reply);
      });
}

Status AdminService::ListDeadLetters(const v1::DeadLettersRequest& request,
                                     const job::Caller& caller, v1::DeadLettersResponse* response) {
  v1::ListJobsRequest list;
  list.add_states(v1::FAILED);
  list.set_page_size(request.page_size());
  list.set_page_token(request.page_token());
  ASSIGN_OR_RETURN(v1::ListJobsResponse page, parts_.reader->List(list, caller));
  response->mutable_jobs()->Swap(page.mutable_jobs());
  response->set_next_page_token(page.next_page_token());
  return OkStatus();
}

AdminService::Reactor* AdminService::SetLimits(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::SetLimitsRequest, v1::SetLimitsResponse>(
      call, parts_.pool, bytes, response,
      [this](const v1::SetLimitsRequest& request, v1::SetLimitsResponse* reply) {
        return ChangeLimits(request, reply);
      });
}

Status AdminService::ChangeLimits(const v1::SetLimitsRequest& request,
                                  v1::SetLimitsResponse* response) {
  // All is checked before anything is changed.
  ASSIGN_OR_RETURN(const queue::TenantLimits tenant, FromProto(request.tenant()));
  ASSIGN_OR_RETURN(const queue::QueueLimits now, parts_.control->Limits());
  ASSIGN_OR_RETURN(const queue::QueueLimits limits, Changed(now, request.queue()));
  if (limits != now) {
    RETURN_IF_ERROR(parts_.control->SetLimits(limits));
    log::Info("limits changed", {{"now", ToProto(limits).ShortDebugString()}});
  }
  if (request.has_tenant()) {
    RETURN_IF_ERROR(parts_.control->SetTenantLimits(request.tenant().tenant(), tenant));
    log::Info("tenant's limits changed", {{"now", request.tenant().ShortDebugString()}});
  }
  *response->mutable_queue() = ToProto(limits);
  return OkStatus();
}

}  // namespace phasor::gateway
