// The life of a job as one pure function: what it is, what happened, what time it is -> what it is
// next. Every implementation of the queue moves jobs by these rules: MemoryQueue calls Next, the
// Lua scripts of the Redis adapter state the same in their own language, and one contract suite
// holds both to it.
//
// The legal chain is drawn at State (common/job/types.h). Who may cause an event is checked before:
// the fence (epoch and nonce) for what an owner says, the terminal record for what ends a job.
// Times are milliseconds on the queue's clock. No I/O, no clock, no generator; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "common/base/clock.h"
#include "common/job/types.h"

namespace phasor::job {

// So many leases of a job may end without a word of their owners before that counts as a lost
// worker. An owner that never renewed may not know of its grant: the answer was lost, or it stalled
// together with the queue. But a job may also kill every worker at once, so it is no more than
// these.
inline constexpr int kFreeSilences = 2;

struct LifecycleLimits {
  int max_tries = 4;        // failures before a job is dead
  int max_crashes = 3;      // workers lost before a job is dead; twice that while all on one node
  int max_preemptions = 2;  // then a job is left alone
  Millis stall{20'000};     // without progress a lease is not extended
};

// What decides about a job. Where it waits, what it draws and who asked for it does not.
struct Snapshot {
  State state = State::kQueued;
  int64_t epoch = 0;            // owners so far
  int tries = 0;                // failures that a worker reported
  std::string fault = "";       // the newest of them, where it may be the job's own
  std::string fault_node = "";  // where that was
  int crashes = 0;              // workers lost with the job
  std::set<std::string> crash_nodes = {};
  int silences = 0;         // leases that ended without a word and were counted as no crash
  bool solo = false;        // to be run alone: a worker was lost with it
  int preemptions = 0;      // times it was asked to make room
  int64_t deadline_ms = 0;  // not started by then: EXPIRED; 0: none

  // kLeased only.
  std::string node = "";   // of the owner
  bool heard = false;      // it has renewed
  bool preempted = false;  // asked to make room
  int64_t lease_end_ms = 0;
  int64_t units = 0;        // that the owner has done
  int64_t progress_ms = 0;  // when that number last grew

  int64_t ready_ms = 0;       // kWaiting: the delay's end
  State want = State::kDead;  // kSealing: what the terminal record shall say

  bool operator==(const Snapshot&) const = default;
};

// What can happen to a job.
struct Taken {
  std::string node = "";
  Millis lease{15'000};
};
struct Renewed {
  int64_t units = 0;
  Millis lease{15'000};
  Millis stall{0};  // longest time without a unit, where the limit is too short
};
struct AskedToMakeRoom {};  // a more urgent job waits
struct Released {};         // drain, preemption, upgrade: given back unharmed
struct Failed {
  bool retry = false;
  Millis delay{0};
  bool worker_lost = false;
  std::string reason = "";  // a sentence for the user
  std::string code = "";    // status code name
  // What failed and how, where the job itself may be to blame: the same on a second node is final.
  // Empty: it says nothing about the job.
  std::string fault = "";
};
struct Completed {};
struct Canceled {};
struct LeaseEnded {};
struct DelayEnded {};
struct DeadlinePassed {};
struct RecordFound {
  State state = State::kDone;  // what the terminal record says
};
struct Redriven {};

using Event = std::variant<Taken, Renewed, AskedToMakeRoom, Released, Failed, Completed, Canceled,
                           LeaseEnded, DelayEnded, DeadlinePassed, RecordFound, Redriven>;

struct Transition {
  Snapshot next;
  // Why, where there is something to say; empty: what was said before stands.
  std::string reason;
  std::string code;
  // kQueued: at the tail of its list, behind jobs that have not failed; else at its head.
  bool at_tail = false;
};

// nullopt: nothing happens. Either the state does not allow the event, or it comes too early
// (LeaseEnded, DelayEnded, DeadlinePassed), or it is refused: a renewal without progress for too
// long (STALLED), a request to make room that was made or granted too often already.
// A job taken after its deadline is sealed instead. A lease that ends without a renewal goes back
// and moves no counter but `silences`, kFreeSilences times; then it is a lost worker. What comes
// back to kQueued goes to the tail of its list after a failure, for a job that fails wherever it
// runs must not stand in the way of others, and to the head otherwise. Redriven gives the snapshot
// of the next generation, a new job that runs alone; the dead one stays as it is.
std::optional<Transition> Next(const Snapshot& now_is, const Event& event, int64_t now_ms,
                               const LifecycleLimits& limits = {});

}  // namespace phasor::job
