// Takes jobs off the queue. A take whose outcome is unknown is repeated with the same nonce, for
// at most the lease, so that a grant whose reply was lost is not lost with it.
// One thread, the executor; references outlive the taker.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/queue/queue.h"

namespace phasor::worker {

struct TakerConfig {
  std::string worker;
  std::string node;
  Millis lease{15'000};
};

class Taker {
 public:
  struct Taken {
    queue::Grant grant;
    SteadyTime sent;  // when this take was sent first: what the own deadline counts from
  };

  Taker(queue::Consumer& queue, const Clock& clock, TakerConfig config);

  // One call. nullopt: there is no job. UNAVAILABLE: call again after a pause.
  // `models`: what this worker can run, resident ones first.
  StatusOr<std::optional<Taken>> Take(const std::vector<std::string>& models);

  // True after a take without an answer: it may have been granted a job, which nobody else gets
  // before the lease is over. The next Take tells.
  bool MayHoldJob() const;

 private:
  queue::Consumer& queue_;
  const Clock& clock_;
  const TakerConfig config_;
  std::string nonce_;  // of a take whose outcome is unknown, else empty
  SteadyTime sent_;
};

}  // namespace phasor::worker
