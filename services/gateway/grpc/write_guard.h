// Cuts off clients that do not read: a message that could not be sent for half a minute ends its
// call, so that what streams hold in memory is not held for ever. The job goes on, and the client
// may call again.
//
// Thread-safe. Begin and End are cheap; a call must live from its Begin to its End.
#pragma once

#include <map>

#include <grpcpp/server_context.h>

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace phasor::gateway {

class WriteGuard {
 public:
  // `clock` outlives the guard.
  explicit WriteGuard(const Clock* clock, Millis longest = Millis(30'000))
      : clock_(clock), longest_(longest) {}

  // Around each write of a call, of which there is one at a time: before it starts, and when gRPC
  // says that it is done.
  void Begin(grpc::CallbackServerContext* call);
  void End(grpc::CallbackServerContext* call);

  // Cancels the calls whose write takes too long. Call about every second.
  void Tick();

 private:
  const Clock* const clock_;
  const Millis longest_;

  Mutex mu_;
  std::map<grpc::CallbackServerContext*, SteadyTime> writing_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
