// Runs a tick on a thread of its own, again and again, until destroyed. A tick that fails is
// logged when it begins to fail, not each time.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::gateway {

class Periodic {
 public:
  // The first tick comes at once.
  Periodic(std::string name, Millis interval, std::function<Status()> tick);
  // Waits for a tick in progress.
  ~Periodic();

 private:
  void Run();
  // False when it is time to stop.
  bool Pause();

  const std::string name_;
  const Millis interval_;
  const std::function<Status()> tick_;

  Mutex mu_;
  CondVar stop_;
  bool stopped_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace phasor::gateway
