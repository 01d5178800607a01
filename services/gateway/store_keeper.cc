#include "services/gateway/store_keeper.h"

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

storage::Sweeper::InQueue AskQueue(queue::Producer* producer) {
  return [producer](const job::JobId& id) -> StatusOr<bool> {
    const auto view = producer->Get(id);
    if (view.ok()) return !job::IsTerminal(view->state);
    if (view.status().code() == StatusCode::kNotFound) return false;
    return view.status();
  };
}

Millis PartOf(Millis interval, double part) {
  return Millis(static_cast<int64_t>(static_cast<double>(interval.count()) * part));
}

}  // namespace

StoreKeeper::StoreKeeper(const Parts& parts, const Config& config)
    : parts_(parts),
      config_(config),
      sweeper_(parts.store, config.policy, AskQueue(parts.producer)),
      deleted_(parts.metrics->Counters(
          "store_deleted_total", "Objects that this gateway deleted from the store.", {"kind"})),
      next_round_(parts.clock->Steady() + PartOf(config.interval, config.first)) {}

Status StoreKeeper::Tick() {
  if (parts_.clock->Steady() < next_round_) return OkStatus();
  const storage::SweepReport report = sweeper_.Tick(parts_.clock->WallMillis());
  Count(report);
  if (report.round_over) {
    if (round_deleted_ > 0) log::Info("store swept", {{"deleted", round_deleted_}});
    round_deleted_ = 0;
    next_round_ = parts_.clock->Steady() + config_.interval;
  }
  return report.status;
}

void StoreKeeper::Count(const storage::SweepReport& report) {
  const std::pair<const char*, int64_t> kinds[] = {{"orphan", report.orphans},
                                                   {"checkpoint", report.checkpoints},
                                                   {"result", report.results},
                                                   {"record", report.records}};
  for (const auto& [kind, count] : kinds) {
    if (count == 0) continue;
    deleted_.With({kind}).Increment(static_cast<double>(count));
    round_deleted_ += count;
  }
  if (report.unreadable > 0) {
    log::Warn("records in the store can't be read", {{"count", report.unreadable}});
  }
}

}  // namespace phasor::gateway
