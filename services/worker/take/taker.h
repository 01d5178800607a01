// Takes jobs off the queue, and tells it with the next take that the last one came out. A take
// whose outcome is unknown is repeated with the same nonce until there is an answer, so that a
// grant whose reply was lost is not lost with it, however long the queue stalls. So is the end of a
// job, for at most the lease: the queue otherwise learns it from the job's next owner. One thread,
// the executor; references outlive the taker.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/queue/queue.h"
#include "services/worker/patience.h"

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

  Taker(queue::Consumer& queue, const Patience& patience, TakerConfig config);

  // The queue is to be told this with the next Take, or by Settle.
  void Owe(queue::Completion done);
  // Tells it now, for there may be no Take soon.
  void Settle();

  // One call. nullopt: there is no job. UNAVAILABLE: call again after a pause.
  // `models`: what this worker can run, resident ones first.
  StatusOr<std::optional<Taken>> Take(const std::vector<std::string>& models);

  // Gives a job back that was just taken: to the head of its list, no counter moves.
  void GiveBack(const queue::Fence& fence);

  // True after a take without an answer: it may have been granted a job, which nobody else gets
  // before the lease is over. The next Take tells.
  bool MayHoldJob() const;

 private:
  struct Owed {
    queue::Completion done;
    SteadyTime until;  // then it is given up
  };

  // The answer to what was owed; an outcome that is unknown is asked for again until it is too
  // late.
  void Told(const StatusOr<queue::OwnerAnswer>& answer);

  queue::Consumer& queue_;
  const Patience& patience_;
  const TakerConfig config_;
  std::optional<Owed> owed_;
  std::string nonce_;  // of a take whose outcome is unknown, else empty
  SteadyTime sent_;
};

}  // namespace phasor::worker
