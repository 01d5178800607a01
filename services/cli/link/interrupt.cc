#include "services/cli/link/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <thread>
#include <utility>

namespace phasor::cli {

Interrupt::Interrupt() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Waits for as long as the process lives, which is as long as this object does.
  std::thread([this, set] {
    int signal = 0;
    while (sigwait(&set, &signal) == 0) {
      if (raised() && IsLast()) _exit(130);
      Raise();
    }
  }).detach();
}

int Interrupt::count() const {
  MutexLock lock(&mu_);
  return count_;
}

void Interrupt::ExpectMany() {
  MutexLock lock(&mu_);
  many_ = true;
}

bool Interrupt::IsLast() const {
  MutexLock lock(&mu_);
  return !many_;
}

void Interrupt::Raise() {
  MutexLock lock(&mu_);
  ++count_;
  if (cancel_) std::exchange(cancel_, nullptr)();
}

Interrupt::Scope::Scope(Interrupt& interrupt, std::function<void()> cancel)
    : interrupt_(interrupt) {
  MutexLock lock(&interrupt_.mu_);
  if (interrupt_.count_ > 0) {
    cancel();
  } else {
    interrupt_.cancel_ = std::move(cancel);
  }
}

Interrupt::Scope::~Scope() {
  MutexLock lock(&interrupt_.mu_);
  interrupt_.cancel_ = nullptr;
}

}  // namespace phasor::cli
