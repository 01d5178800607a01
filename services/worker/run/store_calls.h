// How a running job waits for a store that is away: for as long as the job goes on, with its lease
// kept. The store's absence is nobody's failure, so no try and no crash comes of it; each call that
// comes back, whatever it says, is progress.
//
// One object per job, one thread, the executor. References outlive it.
#pragma once

#include "common/base/status.h"
#include "services/worker/patience.h"
#include "services/worker/running_job.h"
#include "services/worker/worker_metrics.h"

namespace phasor::worker {

class StoreCalls {
 public:
  StoreCalls(const Patience& patience, WorkerMetrics& metrics, RunningJob& job)
      : patience_(patience), metrics_(metrics), job_(job) {}

  // The answer of `call`, which is repeated while that is UNAVAILABLE and `goes_on` says so.
  template <typename Call, typename GoesOn>
  auto Ask(const Call& call, const GoesOn& goes_on) {
    for (int failures = 0;; ++failures) {
      auto answer = Once(call);
      const bool away = StatusOf(answer).code() == StatusCode::kUnavailable;
      if (!away || !goes_on()) {
        Ended(failures);
        return answer;
      }
      if (failures == 0) Began(StatusOf(answer));
      patience_.sleep(Backoff(failures, Millis(50), Millis(2'000), patience_.draw()));
    }
  }

  // One call.
  template <typename Call>
  auto Once(const Call& call) {
    job_.BeginCall(kStoreStall);
    auto answer = call();
    job_.EndCall();
    return answer;
  }

 private:
  void Began(const Status& status);
  void Ended(int failures);

  const Patience& patience_;
  WorkerMetrics& metrics_;
  RunningJob& job_;
};

}  // namespace phasor::worker
