#include "services/gateway/upkeep/queue_gauges.h"

#include <utility>

namespace phasor::gateway {
namespace {

// The models' names are the operator's, not the clients': room for as many as there are.
constexpr size_t kMostSeries = 40'000;

double CountOf(const std::map<job::Priority, int64_t>& counts, job::Priority priority) {
  const auto found = counts.find(priority);
  return found == counts.end() ? 0 : static_cast<double>(found->second);
}

}  // namespace

QueueGauges::QueueGauges(metrics::Registry* registry, std::vector<std::string> models)
    : models_(std::move(models)),
      ready_(registry->Gauges("queue_depth", "Jobs that a worker may take now.",
                              {"model", "priority"}, kMostSeries)),
      blocked_(registry->Gauges("queue_blocked",
                                "Queued jobs that no worker may take now: their tenants have as "
                                "many running as they may.",
                                {"model", "priority"}, kMostSeries)),
      delayed_(
          registry->Gauges("queue_delayed", "Jobs that wait for a retry.", {"model"}, kMostSeries)),
      running_(registry->Gauges("queue_running", "Jobs that any worker of the fleet has.",
                                {"model"}, kMostSeries)),
      demand_(registry->Gauges("queue_demand_jobs",
                               "Jobs that a worker has or could have now: running, and ready "
                               "unless the queue is paused. The number to scale workers on.",
                               {"model"}, kMostSeries)),
      cost_(registry->Gauges("queue_backlog_cost",
                             "Cost of the queued jobs, ready and blocked, in steps times pixels "
                             "as the scheduler counts it.",
                             {"model"}, kMostSeries)),
      oldest_age_(registry->Gauges("queue_oldest_age_seconds",
                                   "Age of the oldest ready job, in seconds.", {"model"},
                                   kMostSeries)),
      live_(registry->Gauges("queue_live_jobs", "Jobs that have not ended.")),
      sealing_(registry->Gauges("queue_sealing_jobs",
                                "Jobs whose end is decided and whose record is to be written.")),
      ended_(registry->Gauges("queue_ended_jobs", "Jobs that ended and are not forgotten yet.")),
      dead_(registry->Gauges("queue_dead_letters", "Dead letters kept.")),
      paused_(registry->Gauges("queue_paused", "1 while the queue is paused.")),
      memory_(registry->Gauges("queue_memory_used_bytes", "Memory that the queue's Redis uses.")),
      memory_limit_(registry->Gauges("queue_memory_limit_bytes",
                                     "Memory that the queue's Redis may use; 0: no limit.")),
      up_(*registry->Gauges("queue_up", "1 while the queue answers.")) {}

void QueueGauges::Show(const queue::QueueStats& stats) {
  up_.Set(1);
  for (const std::string& model : models_) {
    if (stats.models.count(model) == 0) ShowModel(model, {}, stats.paused);
  }
  for (const auto& [model, depth] : stats.models) ShowModel(model, depth, stats.paused);
  live_->Set(static_cast<double>(stats.live));
  sealing_->Set(static_cast<double>(stats.sealing));
  ended_->Set(static_cast<double>(stats.ended));
  dead_->Set(static_cast<double>(stats.dead));
  paused_->Set(stats.paused ? 1 : 0);
  memory_->Set(static_cast<double>(stats.memory_used));
  memory_limit_->Set(static_cast<double>(stats.memory_limit));
  Sweep();
}

void QueueGauges::ShowModel(const std::string& model, const queue::ModelDepth& depth, bool paused) {
  double demand = static_cast<double>(depth.running);
  for (const job::Priority priority : job::kPriorities) {
    const std::vector<std::string> labels = {model, std::string(job::ToString(priority))};
    const double ready = CountOf(depth.ready, priority);
    if (!paused) demand += ready;
    ready_.With(labels).Set(ready);
    blocked_.With(labels).Set(CountOf(depth.blocked, priority));
  }
  delayed_.With({model}).Set(static_cast<double>(depth.delayed));
  running_.With({model}).Set(static_cast<double>(depth.running));
  demand_.With({model}).Set(demand);
  cost_.With({model}).Set(static_cast<double>(depth.cost));
  oldest_age_.With({model}).Set(static_cast<double>(depth.oldest_age_ms) / 1000);
}

void QueueGauges::Vanish() {
  up_.Set(0);
  Sweep();
}

void QueueGauges::Sweep() {
  for (auto* family : {&ready_, &blocked_, &delayed_, &running_, &demand_, &cost_, &oldest_age_,
                       &live_, &sealing_, &ended_, &dead_, &paused_, &memory_, &memory_limit_}) {
    family->Sweep();
  }
}

}  // namespace phasor::gateway
