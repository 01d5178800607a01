// Which objects of a job may go: a pure decision over what the store lists, what the terminal
// record says and what time it is. sweeper.h carries it out.
//
//   the job has no record and the queue knows it   nothing
//   it has no record and the queue knows it not    what is older than `orphan_after`
//   it has a record                                its checkpoints, at any age;
//                                                  blobs that the record does not name and that
//                                                  are older than `orphan_after`;
//                                                  the result past `result_retention`;
//                                                  the record past `record_retention`, after the
//                                                  blobs that it names
//
// Ages are measured by the store's clock: `now_ms` is its time, or that of one that agrees with it.
// What seems to come from the future is young. Objects of no known kind stay.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

struct SweepPolicy {
  // Longer than any publication takes: a blob is put before the record names it.
  Millis orphan_after{24 * 3'600'000};
  // How long a result is kept after its end; zero: for ever.
  Millis result_retention{0};
  // How long the record is kept, which makes a repeated submit find the old end; zero: for ever.
  Millis record_retention{0};
};

// INVALID_ARGUMENT that names the field: an age below an hour, a record kept for less than its
// result or for less than 72 h, which is how long the queue keeps a job that has ended.
Status Validate(const SweepPolicy& policy);

enum class SweepReason { kOrphan, kCheckpoint, kResult, kRecord };

struct Deletion {
  std::string key;
  SweepReason reason = SweepReason::kOrphan;
};

// All that the store lists of one job, and what else is known of it.
struct JobObjects {
  job::JobId id;
  std::vector<StoredObject> objects;
};

// False if no record and no queue could make any of these objects go: nobody need be asked.
bool IsWorthALook(const JobObjects& job, const SweepPolicy& policy, int64_t now_ms);

// `record`: absent if the job has none; `in_queue` matters only then. Deletions in the order in
// which they must be made: the record last.
std::vector<Deletion> PlanSweep(const JobObjects& job, const std::optional<TerminalRecord>& record,
                                bool in_queue, const SweepPolicy& policy, int64_t now_ms);

}  // namespace phasor::storage
