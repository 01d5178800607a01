// Jobs of one model that share a device on which its parts do not all stay: which of them is gone
// on with, so that every part is brought once for all of them. First all are encoded, then each is
// denoised to its end, then all are decoded; what came out is published at once. Pure functions of
// what is in hand.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/job/types.h"
#include "services/worker/run/job_runner.h"

namespace phasor::worker {

struct GroupConfig {
  int jobs = 4;        // of a group at most; 1: each job alone
  Millis wait{7'500};  // that a group makes anybody wait at most, as far as can be expected
};

// The same for jobs of a class: a quarter of what it may wait for in the queue, if that is less.
Millis LongestWait(const GroupConfig& config, job::Priority priority);

struct GroupFacts {
  std::vector<HeldView> members;       // in the order in which they came
  std::optional<size_t> current = {};  // the one that is in the middle of its phase
  bool may_grow = false;
  bool late = false;  // it has taken longer than anybody should wait
};

struct Turn {
  enum class Kind {
    kNone,  // there is no job
    kEnd,   // of a member that is over
    kAdvance,
    kTake,  // another job, if there is one
  };
  Kind kind = Kind::kNone;
  size_t member = 0;  // of kEnd and kAdvance
  bool operator==(const Turn&) const = default;
};

// A group that is late goes on job by job, the oldest first.
Turn NextTurn(const GroupFacts& facts);

// Whether one more is to be taken, of which nothing is known but the model: all are encoded, their
// parts move, how long they take is known, and one more as long as the longest is expected to end
// in time.
struct GrowthFacts {
  std::vector<HeldView> members;
  int taken = 1;    // jobs of the group so far, those that have ended included
  Millis spent{0};  // since it began
};
bool Grows(const GroupConfig& config, const GrowthFacts& facts);

// Which members make room together: one that was asked to, and all that are no more urgent. A
// single one of them would leave the device to the others.
std::vector<size_t> MakingRoom(const std::vector<HeldView>& members);

}  // namespace phasor::worker
