#include "services/worker/take/drain.h"

#include <algorithm>

#include "common/log/log.h"

namespace phasor::worker {

Drain::Drain(Executor& executor, Intake& intake, LeaseRenewer& lease, WorkerStatus& status,
             const Clock& clock)
    : executor_(executor), intake_(intake), lease_(lease), status_(status), clock_(clock) {}

void Drain::Begin(Millis grace) {
  log::Info("draining", {{"grace_ms", grace.count()}});
  status_.Draining();
  executor_.Drain();
  EndJobBy(clock_.Steady() + grace);
}

void Drain::Order() {
  log::Info("told to take no jobs");
  intake_.Close();
  status_.SetClosed(Closed::kOrdered);
  EndJobBy(clock_.Steady());
}

void Drain::EndJobBy(SteadyTime end) {
  MutexLock lock(&mu_);
  end_ = end_.has_value() ? std::min(*end_, end) : end;
}

void Drain::Tick() {
  MutexLock lock(&mu_);
  if (end_.has_value() && clock_.Steady() >= *end_) lease_.AskToStop(StopReason::kDrained);
}

}  // namespace phasor::worker
