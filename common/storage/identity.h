// Which store this is. A store gets a random id when a fleet first uses it, in an object that is
// created if absent and never overwritten; the fleet remembers the id elsewhere. A difference means
// another store, an emptied one, or a folder whose volume is not mounted: who then goes on would
// give jobs that have ended a second end. Stateless; blocks on the store.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

// NOT_FOUND: it has none. DATA_LOSS: something else stands in its place.
StatusOr<std::string> ReadIdentity(ResultStore& store);

// The id that the store has from now on, for the caller to remember if it did not. `remembered`:
// what the fleet knows, "" if nothing; then a store without an id gets one. FAILED_PRECONDITION,
// and nothing is written, if the store is not the remembered one.
StatusOr<std::string> Identify(ResultStore& store, const std::string& remembered);

// Whether nothing of any job is in the store.
StatusOr<bool> HasNoJobs(ResultStore& store);

}  // namespace phasor::storage
