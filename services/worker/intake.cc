#include "services/worker/intake.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace phasor::worker {
namespace {

constexpr Millis kLongestRest{60'000};

}  // namespace

std::string_view ToString(Closed closed) {
  switch (closed) {
    case Closed::kOrdered:
      return "ordered";
    case Closed::kCordoned:
      return "cordoned";
    case Closed::kMemory:
      return "memory";
    case Closed::kResting:
      return "resting";
  }
  return "unknown";
}

Intake::Intake(Config config, const Clock& clock, std::function<double()> memory_percent)
    : config_(config),
      clock_(clock),
      memory_percent_(std::move(memory_percent)),
      cordon_(config.cordon),
      rest_until_(clock.Steady()) {}

void Intake::Close() {
  MutexLock lock(&mu_);
  ordered_ = true;
}

void Intake::RestAfter(const std::string& job, Millis rest) {
  MutexLock lock(&mu_);
  rest_after_ = job;
  rest_ = std::clamp(rest, Millis(0), kLongestRest);
}

void Intake::JobEnded(const std::string& job, bool came_out,
                      std::optional<job::ErrorClass> failed) {
  MutexLock lock(&mu_);
  if (job == rest_after_ && !came_out) rest_until_ = clock_.Steady() + rest_;
  rest_after_.clear();
  const bool doubted = cordon_.doubts();
  if (came_out) cordon_.Succeeded();
  if (failed.has_value()) cordon_.Failed(job, *failed, clock_.Steady());
  if (doubted == cordon_.doubts()) return;
  if (doubted) {
    log::Info("a job came out, the worker trusts itself again");
  } else {
    log::Error("several jobs in a row failed here, the worker takes none for a while");
  }
}

std::optional<Closed> Intake::Look() {
  const SteadyTime now = clock_.Steady();
  {
    MutexLock lock(&mu_);
    if (ordered_) return Closed::kOrdered;
    if (cordon_.IsClosed(now)) return Closed::kCordoned;
    if (now < rest_until_) return Closed::kResting;
  }
  const bool measured = config_.max_memory_percent < 100;
  if (measured && memory_percent_() > config_.max_memory_percent) return Closed::kMemory;
  return std::nullopt;
}

}  // namespace phasor::worker
