// Compares every job with the queue's indexes, again and again, and puts back what is missing: a
// recoverer that trusts a single index leaves jobs stuck for ever. What is to be looked at, and how
// much of it at once, the queue says: it keeps one pace for all gateways, so that ten of them cost
// it no more than one. One thread.
#pragma once

#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"

namespace phasor::gateway {

class Auditor {
 public:
  // Both outlive the auditor.
  Auditor(queue::Maintenance* maintenance, metrics::Registry* metrics);

  // Looks at what is due. Call about every second.
  Status Tick();

 private:
  void Report(const queue::AuditReport& report);

  queue::Maintenance* const maintenance_;
  metrics::Counter& repaired_;
  metrics::Counter& looked_;
};

}  // namespace phasor::gateway
