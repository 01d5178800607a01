#include "services/worker/drain.h"

#include <algorithm>

#include "common/log/log.h"

namespace phasor::worker {

Drain::Drain(Executor& executor, LeaseRenewer& lease, WorkerStatus& status, const Clock& clock)
    : executor_(executor), lease_(lease), status_(status), clock_(clock) {}

void Drain::Begin(Millis grace) {
  log::Info("draining", {{"grace_ms", grace.count()}});
  status_.Draining();
  executor_.Drain();
  MutexLock lock(&mu_);
  const SteadyTime end = clock_.Steady() + grace;
  end_ = end_.has_value() ? std::min(*end_, end) : end;
}

void Drain::Tick() {
  MutexLock lock(&mu_);
  if (end_.has_value() && clock_.Steady() >= *end_) lease_.AskToStop(StopReason::kDrained);
}

}  // namespace phasor::worker
