// abseil's annotated mutex under our names, so that clang's -Wthread-safety checks the guards, and
// a condition variable for it.
#pragma once

#include <chrono>
#include <condition_variable>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#ifndef GUARDED_BY
#define GUARDED_BY(x) ABSL_GUARDED_BY(x)
#endif
#ifndef REQUIRES_LOCK
#define REQUIRES_LOCK(...) ABSL_EXCLUSIVE_LOCKS_REQUIRED(__VA_ARGS__)
#endif

namespace phasor {

using absl::Mutex;
using absl::MutexLock;

// Waits with a limit go by the steady clock: abseil's own go by the wall clock, and when somebody
// sets that back by an hour they wait for an hour. The caller holds `mu`. Thread-safe.
class CondVar {
 public:
  void Wait(Mutex* mu) REQUIRES_LOCK(mu) {
    Held held{mu};
    changed_.wait(held);
  }
  // False: `until` has come. As with any condition variable a wait may also end for no reason.
  bool WaitUntil(Mutex* mu, std::chrono::steady_clock::time_point until) REQUIRES_LOCK(mu) {
    Held held{mu};
    return changed_.wait_until(held, until) == std::cv_status::no_timeout;
  }
  bool WaitFor(Mutex* mu, std::chrono::milliseconds limit) REQUIRES_LOCK(mu) {
    return WaitUntil(mu, std::chrono::steady_clock::now() + limit);
  }
  void Signal() { changed_.notify_one(); }
  void SignalAll() { changed_.notify_all(); }

 private:
  // The mutex with the names that the standard library calls.
  struct Held {
    Mutex* mu;
    void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu->Lock(); }
    void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu->Unlock(); }
  };

  std::condition_variable_any changed_;
};

}  // namespace phasor
