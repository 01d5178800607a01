#include "services/gateway/upkeep/auditor.h"

#include <string>
#include <vector>

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

constexpr int kPage = 64;        // entries, about a millisecond in which Redis does nothing else
constexpr int kMostPages = 400;  // of a tick, whatever the queue's pace allows

std::string Joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

}  // namespace

Auditor::Auditor(queue::Maintenance* maintenance, metrics::Registry* metrics)
    : maintenance_(maintenance),
      repaired_(
          *metrics->Counters("repaired_total",
                             "Entries that this gateway put back into the queue's indexes, dropped "
                             "from them or counted anew.")),
      looked_(*metrics->Counters("audited_total", "Entries that this gateway compared.")) {}

Status Auditor::Tick() {
  for (int page = 0; page < kMostPages; ++page) {
    ASSIGN_OR_RETURN(const queue::AuditReport report, maintenance_->Audit(queue::kAuditDue, kPage));
    Report(report);
    if (report.looked == 0) break;
  }
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
