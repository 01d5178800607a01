// Ctrl-C and SIGTERM as something to look at instead of a handler: a thread waits for them, sets a
// flag and cancels the call in progress, which then ends with CANCELLED. The second one ends the
// process with 130.
//
// Make one in main before any other thread. Thread-safe.
#pragma once

#include <functional>

#include "common/base/mutex.h"

namespace phasor::cli {

class Interrupt {
 public:
  Interrupt();

  bool raised() const { return count() > 0; }
  int count() const;
  // From now on a second signal does not end the process.
  void ExpectMany();

  // While it lives, a signal calls `cancel` (once, at once if it has come already).
  class Scope {
   public:
    Scope(Interrupt& interrupt, std::function<void()> cancel);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
  };

  // As if a signal had come.
  void Raise();

 private:
  bool IsLast() const;

  mutable Mutex mu_;
  int count_ GUARDED_BY(mu_) = 0;
  bool many_ GUARDED_BY(mu_) = false;
  std::function<void()> cancel_ GUARDED_BY(mu_);
};

}  // namespace phasor::cli
