#include "services/gateway/upkeep/periodic.h"

#include <utility>

#include "common/log/log.h"

namespace phasor::gateway {

Millis Jittered(Millis interval, double draw) {
  return Millis(static_cast<int64_t>(static_cast<double>(interval.count()) * (0.75 + draw / 2)));
}

Periodic::Periodic(std::string name, Millis interval, uint32_t seed, std::function<Status()> tick)
    : name_(std::move(name)),
      interval_(interval),
      tick_(std::move(tick)),
      random_(seed),
      thread_([this] { Run(); }) {}

Periodic::~Periodic() {
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    stop_.Signal();
  }
  thread_.join();
}

void Periodic::Run() {
  bool failing = false;
  do {
    const Status status = tick_();
    if (!status.ok() && !failing) log::Warn("a loop fails", {{"loop", name_}, {"why", status}});
    failing = !status.ok();
  } while (Pause());
}

bool Periodic::Pause() {
  const double draw = std::uniform_real_distribution<double>()(random_);
  const SteadyTime until = std::chrono::steady_clock::now() + Jittered(interval_, draw);
  MutexLock lock(&mu_);
  while (!stopped_ && stop_.WaitUntil(&mu_, until)) {
  }
  return !stopped_;
}

}  // namespace phasor::gateway
