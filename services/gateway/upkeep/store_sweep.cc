#include "services/gateway/upkeep/store_sweep.h"

#include <utility>

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

storage::Sweeper::InQueue AskQueue(queue::Producer* producer) {
  return [producer](const job::JobId& id) -> StatusOr<bool> {
    const auto view = producer->Get(id, job::Operator());
    // Also one that has ended: its record is missed, so this may not be its store.
    if (view.ok()) return true;
    if (view.status().code() == StatusCode::kNotFound) return false;
    return view.status();
  };
}

}  // namespace

StoreSweep::StoreSweep(const Parts& parts, const storage::SweepPolicy& policy)
    : clock_(parts.store, parts.maintenance, parts.clock, parts.metrics),
      sweeper_(parts.store, policy, AskQueue(parts.producer)),
      deleted_(parts.metrics->Counters(
          "store_deleted_total", "Objects that this gateway deleted from the store.", {"kind"})) {}

storage::SweepReport StoreSweep::Tick() {
  const StatusOr<int64_t> now = clock_.Now();
  if (!now.ok()) return {.status = now.status()};
  storage::SweepReport report = sweeper_.Tick(*now);
  Count(report);
  return report;
}

void StoreSweep::Count(const storage::SweepReport& report) {
  const std::pair<const char*, int64_t> kinds[] = {{"orphan", report.orphans},
                                                   {"checkpoint", report.checkpoints},
                                                   {"result", report.results},
                                                   {"record", report.records}};
  for (const auto& [kind, count] : kinds) {
    if (count > 0) deleted_.With({kind}).Increment(static_cast<double>(count));
  }
  if (report.unreadable > 0) {
    log::Warn("records in the store can't be read", {{"count", report.unreadable}});
  }
}

int64_t Deleted(const storage::SweepReport& report) {
  return report.orphans + report.checkpoints + report.results + report.records;
}

}  // namespace phasor::gateway
