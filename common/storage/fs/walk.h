// The walk over a store's tree, page by page, which clears away what a crash left. A page reads the
// folders on its way and no others. Stateless; safe between processes that write and walk the same
// tree.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

struct Walk {
  std::string root;    // folder of the store
  std::string prefix;  // a legal key
  std::string cursor;  // the last key of the page before
  int limit = kMaxListPage;
  int64_t now_ms = 0;  // wall time
  // Unfinished files and empty folders that have not been touched for so long, by this clock and by
  // the folder's, are removed on the way.
  Millis leftover_age{0};
};

// The next page of keys, ordered by their segments. Illegal names are passed over.
StatusOr<ListPage> WalkFolder(const Walk& walk);

}  // namespace phasor::storage
