#include "services/gateway/upkeep/store_keeper.h"

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

Millis PartOf(Millis interval, double part) {
  return Millis(static_cast<int64_t>(static_cast<double>(interval.count()) * part));
}

}  // namespace

StoreKeeper::StoreKeeper(const StoreSweep::Parts& parts, const Config& config)
    : clock_(parts.clock),
      interval_(config.interval),
      sweep_(parts, config.policy),
      next_round_(clock_->Steady() + PartOf(config.interval, config.first)) {}

Status StoreKeeper::Tick() {
  if (clock_->Steady() < next_round_) return OkStatus();
  const storage::SweepReport report = sweep_.Tick();
  round_deleted_ += Deleted(report);
  if (report.round_over) {
    if (round_deleted_ > 0) log::Info("store swept", {{"deleted", round_deleted_}});
    round_deleted_ = 0;
    next_round_ = clock_->Steady() + interval_;
  }
  return report.status;
}

}  // namespace phasor::gateway
