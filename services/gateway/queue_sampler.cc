#include "services/gateway/queue_sampler.h"

#include <string>
#include <utility>

#include "common/log/log.h"

namespace phasor::gateway {

QueueSampler::QueueSampler(Parts parts)
    : parts_(std::move(parts)),
      depth_(parts_.metrics->Gauges("queue_depth", "Jobs that are ready to be taken.",
                                    {"model", "priority"})),
      oldest_age_(parts_.metrics->Gauges("queue_oldest_age_seconds",
                                         "Age of the oldest ready job, in seconds.", {"model"})),
      running_(parts_.metrics->Gauges("inflight_jobs", "Jobs that a worker has.", {"model"})),
      delayed_(parts_.metrics->Gauges("queue_delayed", "Jobs that wait for a retry.", {"model"})),
      live_(*parts_.metrics->Gauges("queue_live_jobs", "Jobs that have not ended.")),
      dead_(*parts_.metrics->Gauges("queue_dead_letters", "Dead letters kept.")),
      up_(*parts_.metrics->Gauges("queue_up", "1 while the queue answers.")) {}

void QueueSampler::Tick() {
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
  up_.Set(now.ok() ? 1 : 0);
  if (stats.ok()) ShowDepths(*stats);
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
  if (!limits_set_ && parts_.limits) RETURN_IF_ERROR(parts_.control->SetLimits(*parts_.limits));
  limits_set_ = true;
  return parts_.maintenance->Stats();
}

void QueueSampler::ShowDepths(const queue::QueueStats& stats) {
  for (const auto& [model, depth] : stats.models) {
    for (const auto& [priority, ready] : depth.ready) {
      depth_.With({model, std::string(job::ToString(priority))}).Set(static_cast<double>(ready));
    }
    oldest_age_.With({model}).Set(static_cast<double>(depth.oldest_age_ms) / 1000);
    running_.With({model}).Set(static_cast<double>(depth.running));
    delayed_.With({model}).Set(static_cast<double>(depth.delayed));
  }
  for (auto* family : {&depth_, &oldest_age_, &running_, &delayed_}) family->Sweep();
  live_.Set(static_cast<double>(stats.live));
  dead_.Set(static_cast<double>(stats.dead));
}

}  // namespace phasor::gateway
