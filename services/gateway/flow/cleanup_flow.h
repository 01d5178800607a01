// Admin.Cleanup of the store: one walk over the whole store at once, instead of when the store
// keeper gets to it. Thread-safe; blocks on store and queue for as long as the walk takes.
#pragma once

#include <functional>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "phasor/v1/admin.pb.h"
#include "services/gateway/upkeep/store_sweep.h"

namespace phasor::gateway {

class CleanupFlow {
 public:
  // `policy` is valid.
  CleanupFlow(const StoreSweep::Parts& parts, const storage::SweepPolicy& policy)
      : parts_(parts), policy_(policy) {}

  // `gone` is asked after each page; true ends the walk with CANCELLED. Errors besides the store's
  // and the queue's: UNAVAILABLE with RetryInfo while another walk is on. What went before an
  // error is gone.
  StatusOr<v1::CleanupResponse> Run(const std::function<bool()>& gone);

 private:
  StatusOr<v1::CleanupResponse> Walk(const std::function<bool()>& gone);

  const StoreSweep::Parts parts_;
  const storage::SweepPolicy policy_;
  Mutex mu_;
  bool running_ GUARDED_BY(mu_) = false;
};

}  // namespace phasor::gateway
