#include "services/gateway/grpc/write_guard.h"

namespace phasor::gateway {

void WriteGuard::Begin(grpc::CallbackServerContext* call) {
  const SteadyTime now = clock_->Steady();
  MutexLock lock(&mu_);
  writing_[call] = now;
}

void WriteGuard::End(grpc::CallbackServerContext* call) {
  MutexLock lock(&mu_);
  writing_.erase(call);
}

void WriteGuard::Tick() {
  const SteadyTime now = clock_->Steady();
  MutexLock lock(&mu_);
  for (const auto& [call, since] : writing_) {
    // Under the lock, so that the call lives: its End waits. gRPC tells of the cancelled write on
    // another thread.
    if (now - since >= longest_) call->TryCancel();
  }
}

}  // namespace phasor::gateway
