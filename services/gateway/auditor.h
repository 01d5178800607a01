// Compares every job with the queue's indexes, again and again, and puts back what is missing: a
// recoverer that trusts a single index leaves jobs stuck for ever. A round over the jobs that have
// not ended begins about every five seconds; the first round and one each hour also look for jobs
// that no index knows. Any number of gateways may do this at once. One thread.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/queue/queue.h"

namespace phasor::gateway {

class Auditor {
 public:
  // All outlive the auditor.
  Auditor(queue::Maintenance* maintenance, const Clock* clock, metrics::Registry* metrics);

  // Goes on with the round for some 60 ms, or a few pages of a queue that answers slowly; between
  // rounds nothing. Call about every second.
  Status Tick();

 private:
  Status AuditPage();
  void Report(const queue::AuditReport& report);

  queue::Maintenance* const maintenance_;
  const Clock* const clock_;
  metrics::Counter& repaired_;
  metrics::Counter& looked_;

  // Of the round in progress; nullopt: none is.
  std::optional<std::string> cursor_;
  bool everything_ = false;
  SteadyTime next_round_;
  SteadyTime next_everything_;
};

}  // namespace phasor::gateway
