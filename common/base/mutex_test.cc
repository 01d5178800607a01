#include "common/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>

namespace phasor {
namespace {

using Steady = std::chrono::steady_clock;

TEST(CondVarTest, AWaitEndsWhenItIsSignalled) {
  Mutex mu;
  CondVar changed;
  bool ready = false;
  std::thread other([&] {
    MutexLock lock(&mu);
    ready = true;
    changed.SignalAll();
  });
  {
    MutexLock lock(&mu);
    while (!ready) changed.Wait(&mu);
    mu.AssertHeld();
  }
  other.join();
}

TEST(CondVarTest, AWaitWhoseMomentHasComeSaysSoAndHoldsTheLock) {
  Mutex mu;
  CondVar never;
  MutexLock lock(&mu);
  EXPECT_FALSE(never.WaitUntil(&mu, Steady::now() - std::chrono::hours(1)));
  while (never.WaitFor(&mu, std::chrono::milliseconds(1))) {
  }
  mu.AssertHeld();
}

}  // namespace
}  // namespace phasor
