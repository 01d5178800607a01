// Folders of a store's tree: made and read one by one. Stateless; safe between processes that
// write and read the same tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::storage {

// Fsyncs the names in the folder.
Status SyncFolder(const std::string& path);

// Makes `folder` and what is missing above it; each new name is fsynced in its parent, or a
// record in it would be lost with the folder.
Status MakeFolderDurably(const std::string& folder);

// Whether `folder`, if it is not there, could be made. Nothing is left behind. OK also where there
// is no room: that may come.
Status ProbeMakingFolder(const std::string& folder);

// The error of a call that met `error` (errno) at the folder.
Status FolderError(int error, const std::string& path);

struct FolderEntry {
  std::string name;
  bool is_folder = false;
  bool is_file = false;  // neither: a link or the like
};

// What is in the folder, in the order of the names, which costs little where only the first few are
// looked at. Entries with names below `from` are left out. A folder that does not exist is empty.
class FolderReader {
 public:
  Status Read(const std::string& path, const std::string& from);
  // Valid until the next call; nullptr: there is none.
  const FolderEntry* Next();
  // Whether the folder had no entry at all, those below `from` included.
  bool was_empty() const { return was_empty_; }

 private:
  std::vector<FolderEntry> heap_;  // the first by name on top; what was taken lies behind it
  size_t left_ = 0;
  bool was_empty_ = false;
};

// Now, by the clock that gives the files in the folder their times: that of a file made for it.
StatusOr<int64_t> FolderTime(const std::string& path);

}  // namespace phasor::storage
