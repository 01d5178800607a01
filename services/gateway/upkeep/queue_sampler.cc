#include "services/gateway/upkeep/queue_sampler.h"

#include <string>
#include <utility>

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMostModels = 10'000;  // of the catalogue, which no client chooses

}  // namespace

QueueSampler::QueueSampler(Parts parts)
    : parts_(std::move(parts)),
      gauges_(parts_.metrics, parts_.models),
      workers_ready_(parts_.metrics->Gauges("workers_ready",
                                            "Workers that report to this gateway, can run the "
                                            "model and take jobs.",
                                            {"model"}, kMostModels)) {}

void QueueSampler::Tick() {
  ShowWorkers();
  auto stats = Ask();
  const Status now = stats.ok()
                         ? OkStatus()
                         : Unavailable("the queue does not answer: " + Message(stats.status()));
  bool changed = !asked_;
  asked_ = true;
  {
    MutexLock lock(&mu_);
    changed = changed || ready_.ok() != now.ok();
    ready_ = now;
    if (stats.ok()) latest_ = *stats;
  }
  if (stats.ok()) {
    gauges_.Show(*stats);
  } else {
    gauges_.Vanish();
  }
  if (!changed) return;
  if (now.ok()) {
    log::Info("ready");
  } else {
    log::Warn("not ready", {{"why", Message(now)}});
  }
  parts_.on_ready(now.ok());
}

Status QueueSampler::ready() {
  MutexLock lock(&mu_);
  return ready_;
}

queue::QueueStats QueueSampler::latest() {
  MutexLock lock(&mu_);
  return latest_;
}

StatusOr<queue::QueueStats> QueueSampler::Ask() {
  if (!limits_set_ && parts_.limits != nullptr) RETURN_IF_ERROR(SetLimits());
  limits_set_ = true;
  return parts_.maintenance->Stats();
}

Status QueueSampler::SetLimits() {
  ASSIGN_OR_RETURN(const queue::QueueLimits standing, parts_.control->Limits());
  const queue::QueueLimits limits = parts_.limits(standing);
  return limits == standing ? OkStatus() : parts_.control->SetLimits(limits);
}

void QueueSampler::ShowWorkers() {
  if (parts_.workers == nullptr) return;
  for (const std::string& model : parts_.models) {
    workers_ready_.With({model}).Set(parts_.workers->ReadyFor(model));
  }
}

}  // namespace phasor::gateway
