#include "services/gateway/upkeep/reaper.h"

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

constexpr int kBatch = 32;  // of each kind: a few milliseconds in which Redis does nothing else
constexpr int kMaxBatches = 128;  // a tick ends, however much there is to do

}  // namespace

Reaper::Reaper(queue::Maintenance* maintenance, metrics::Registry* metrics)
    : maintenance_(maintenance),
      moved_(*metrics->Counters("recovered_jobs_total",
                                "Jobs taken back, promoted or sealed by this gateway.")),
      forgotten_(*metrics->Counters("forgotten_jobs_total",
                                    "Ended jobs that this gateway let the queue forget: past "
                                    "their time, or too many.")) {}

Status Reaper::Tick() {
  RETURN_IF_ERROR(Recover());
  return Forget();
}

Status Reaper::Recover() {
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

Status Reaper::Forget() {
  for (int i = 0; i < kMaxBatches; ++i) {
    ASSIGN_OR_RETURN(const int forgotten, maintenance_->Forget(queue::kMaxForget));
    forgotten_.Increment(forgotten);
    if (forgotten < queue::kMaxForget) break;
  }
  return OkStatus();
}

}  // namespace phasor::gateway
