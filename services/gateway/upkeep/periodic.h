// Runs a tick on a thread of its own, again and again, until destroyed. Pauses vary by a quarter,
// so that several gateways do not act in step. A tick that fails is logged when it begins to fail,
// not each time.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::gateway {

// `interval` times 0.75 to 1.25; `draw` is uniform in [0, 1).
Millis Jittered(Millis interval, double draw);

class Periodic {
 public:
  // The first tick comes at once. `seed`: of the pauses.
  Periodic(std::string name, Millis interval, uint32_t seed, std::function<Status()> tick);
  // Waits for a tick in progress.
  ~Periodic();

 private:
  void Run();
  // False when it is time to stop.
  bool Pause();

  const std::string name_;
  const Millis interval_;
  const std::function<Status()> tick_;
  std::minstd_rand random_;  // the thread's

  Mutex mu_;
  CondVar stop_;
  bool stopped_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace phasor::gateway
