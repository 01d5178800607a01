#include "services/gateway/reaper.h"

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

constexpr int kBatch = 64;
constexpr int kMaxBatches = 16;  // a tick ends, however much there is to do

}  // namespace

Reaper::Reaper(queue::Maintenance* maintenance, metrics::Registry* metrics)
    : maintenance_(maintenance),
      moved_(*metrics->Counters("recovered_jobs_total",
                                "Jobs taken back, promoted or sealed by this gateway.")) {}

Status Reaper::Tick() {
  int total = 0;
  for (int i = 0; i < kMaxBatches; ++i) {
    ASSIGN_OR_RETURN(const int moved, maintenance_->Recover(kBatch));
    total += moved;
    if (moved == 0) break;
  }
  if (total > 0) {
    moved_.Increment(total);
    log::Info("jobs recovered", {{"count", total}});
  }
  return OkStatus();
}

}  // namespace phasor::gateway
