#include "services/gateway/auditor.h"

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

constexpr Millis kBetweenRounds{5'000};
constexpr Millis kBetweenFullRounds = std::chrono::hours(1);
constexpr int kPage = 64;        // entries, about a millisecond in which Redis does nothing else
constexpr Millis kOfATick{60};   // and as much of its time a second, however many jobs there are
constexpr int kFewestPages = 8;  // of a tick, also of a queue that answers slowly

std::string Joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

}  // namespace

Auditor::Auditor(queue::Maintenance* maintenance, const Clock* clock, metrics::Registry* metrics)
    : maintenance_(maintenance),
      clock_(clock),
      repaired_(
          *metrics->Counters("repaired_total",
                             "Entries that this gateway put back into the queue's indexes, dropped "
                             "from them or counted anew.")),
      looked_(*metrics->Counters("audited_total", "Entries that this gateway compared.")),
      next_round_(clock->Steady()),
      next_everything_(clock->Steady()) {}

Status Auditor::Tick() {
  const SteadyTime now = clock_->Steady();
  if (!cursor_) {
    if (now < next_round_) return OkStatus();
    everything_ = now >= next_everything_;
    cursor_ = everything_ ? queue::kAuditEverything : "";
  }
  for (int page = 0; cursor_; ++page) {
    if (page >= kFewestPages && clock_->Steady() - now >= kOfATick) break;
    if (const Status status = AuditPage(); !status.ok()) {
      // The round begins anew: a cursor means nothing to a queue that was restored meanwhile.
      cursor_.reset();
      return status;
    }
  }
  return OkStatus();
}

Status Auditor::AuditPage() {
  ASSIGN_OR_RETURN(const queue::AuditReport report, maintenance_->Audit(*cursor_, kPage));
  Report(report);
  if (!report.next_cursor.empty()) {
    cursor_ = report.next_cursor;
    return OkStatus();
  }
  cursor_.reset();
  const SteadyTime now = clock_->Steady();
  next_round_ = now + kBetweenRounds;
  if (everything_) next_everything_ = now + kBetweenFullRounds;
  return OkStatus();
}

void Auditor::Report(const queue::AuditReport& report) {
  looked_.Increment(static_cast<double>(report.looked));
  if (report.repaired == 0) return;
  repaired_.Increment(static_cast<double>(report.repaired));
  log::Warn("the queue's indexes were repaired",
            {{"count", report.repaired}, {"what", Joined(report.repairs)}});
}

}  // namespace phasor::gateway
