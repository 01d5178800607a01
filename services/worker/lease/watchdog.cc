#include "services/worker/lease/watchdog.h"

#include <algorithm>
#include <utility>

namespace phasor::worker {
namespace {

constexpr std::chrono::seconds kLongestGap{1};

}  // namespace

bool HangWatch::Hangs(const std::optional<Activity>& activity, SteadyTime now) {
  const auto gap = std::exchange(last_look_, now);
  if (!activity.has_value() || activity != seen_) {
    seen_ = activity;
    silent_ = {};
    return false;
  }
  silent_ += std::min<std::chrono::nanoseconds>(now - gap, kLongestGap);
  return silent_ > activity->stall * factor_;
}

Watchdog::Watchdog(Look look, const Clock& clock, EndProcess end_process, Config config)
    : look_(std::move(look)),
      clock_(clock),
      end_process_(std::move(end_process)),
      config_(config),
      hang_watch_(config.factor) {}

void Watchdog::EndBy(SteadyTime end, const std::string& why) {
  MutexLock lock(&mu_);
  if (end_.has_value() && *end_ <= end) return;
  end_ = end;
  why_ = why;
  changed_.Signal();
}

std::string Watchdog::Verdict() {
  const SteadyTime now = clock_.Steady();
  const std::optional<Activity> activity = look_();
  if (hang_watch_.Hangs(activity, now)) {
    return "a unit of " + activity->of + " hangs, it was given " +
           std::to_string(activity->stall.count()) + " ms";
  }
  MutexLock lock(&mu_);
  return end_.has_value() && now >= *end_ ? why_ : "";
}

void Watchdog::Tick() {
  if (ended_) return;
  const std::string why = Verdict();
  if (why.empty()) return;
  ended_ = true;
  end_process_(why);
}

void Watchdog::Run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(&mu_);
    changed_.Signal();
  });
  while (!stop.stop_requested()) {
    Tick();
    MutexLock lock(&mu_);
    if (stop.stop_requested()) return;
    changed_.WaitFor(&mu_, config_.every);
  }
}

}  // namespace phasor::worker
