// Ends the process when its executor can't be trusted any more: a unit of work that hangs can't be
// stopped from outside, and after a lost device nothing may touch it again, destructors included.
// The job is not lost with it: its lease has run out or was given back, and its last checkpoint
// stands.
//
// HangWatch is the decision alone. Watchdog is the thread outside the executor: Tick is one look,
// which is what tests call; Run ticks until stopped. EndBy may be called from any thread.
// References outlive the watchdog.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/worker/pulse.h"

namespace phasor::worker {

class HangWatch {
 public:
  // A unit hangs after `factor` times what it was given before the queue stops believing in it.
  explicit HangWatch(double factor) : factor_(factor) {}

  // To be asked several times a second with what the executor does now; nullopt: nothing that
  // could hang. A gap of more than a second between two looks counts as one second: then the whole
  // process was stopped, and not the unit slow.
  bool Hangs(const std::optional<Activity>& activity, SteadyTime now);

 private:
  const double factor_;
  std::optional<Activity> seen_;
  SteadyTime last_look_;
  std::chrono::nanoseconds silent_{0};
};

class Watchdog {
 public:
  struct Config {
    double factor = 2;
    Millis every{200};
  };
  using Look = std::function<std::optional<Activity>()>;
  // Ends the process at once and without destructors; called at most once.
  using EndProcess = std::function<void(const std::string& why)>;

  Watchdog(Look look, const Clock& clock, EndProcess end_process, Config config);

  // The process ends at `end` at the latest. A later call can only shorten that.
  void EndBy(SteadyTime end, const std::string& why);

  void Tick();
  void Run(std::stop_token stop);

 private:
  // Why the process must end now; empty: it need not.
  std::string Verdict();

  const Look look_;
  const Clock& clock_;
  const EndProcess end_process_;
  const Config config_;
  HangWatch hang_watch_;  // Tick's thread
  bool ended_ = false;    // Tick's thread

  Mutex mu_;
  CondVar changed_;
  std::optional<SteadyTime> end_ GUARDED_BY(mu_);
  std::string why_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
