// Writes the terminal records of jobs whose end the queue decided (dead, expired), then tells the
// queue what the record says: it may say otherwise, for whoever wrote first decides. Any number
// of gateways may do this at once: the queue gives each job to one of them for a while. One thread
// calls it; a batch of jobs is sealed by several.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"

namespace phasor::gateway {

class Sealer {
 public:
  // All outlive the sealer.
  Sealer(queue::Maintenance* maintenance, queue::Producer* producer, storage::ResultStore* store,
         const Clock* clock);

  // Seals what waits now, for some seconds at most. Call about every second.
  Status Tick();

 private:
  // All at once; the first error, when all have had their turn.
  Status SealAll(const std::vector<queue::SealRequest>& requests);
  Status Seal(const queue::SealRequest& request);
  // What the record tells besides the end: which job this was. Nothing of one that the queue has
  // forgotten meanwhile, which is sealed all the same.
  Status Describe(storage::TerminalRecord* record);

  queue::Maintenance* const maintenance_;
  queue::Producer* const producer_;
  storage::ResultStore* const store_;
  const Clock* const clock_;
};

}  // namespace phasor::gateway
