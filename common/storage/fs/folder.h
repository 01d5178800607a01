// Folders of a store's tree: made durably, walked page by page, cleared of what a crash left.
// Stateless; safe between processes that write and walk the same tree.
#pragma once

#include <string>

#include "common/storage/result_store.h"

namespace phasor::storage {

// Fsyncs the names in the folder.
Status SyncFolder(const std::string& path);

// Makes `folder` and what is missing above it; each new name is fsynced in its parent, or a
// record in it would be lost with the folder.
Status MakeFolderDurably(const std::string& folder);

struct Walk {
  std::string root;    // folder of the store
  std::string prefix;  // a legal key
  std::string cursor;  // the last key of the page before
  int limit = kMaxListPage;
  // Unfinished files and empty folders last touched before this time are removed on the way.
  int64_t leftovers_before_ms = 0;
};

// The next page of keys, ordered by their segments. Illegal names are passed over.
StatusOr<ListPage> WalkFolder(const Walk& walk);

}  // namespace phasor::storage
