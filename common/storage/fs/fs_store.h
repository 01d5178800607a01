// The result store in a folder, local or shared between machines: a key is a path below the root.
// What is acknowledged is on the disk: files and the folders that name them are fsynced, and the
// terminal record is created by link(), which one writer wins on any POSIX file system.
//
// Thread-safe, and safe between processes. A crash in the middle of a write leaves at most a file
// whose name contains ".tmp-", which no key can name; a listing that passes it an hour later
// removes it, and folders that have been empty for as long.
#pragma once

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

struct FsStoreOptions {
  std::string root;                         // absolute or relative path of the folder
  size_t max_blob_bytes = size_t{1} << 30;  // larger ones are RESOURCE_EXHAUSTED on both ways
  Millis leftover_age{3'600'000};           // a write that has taken longer has died
};

class FsStore final : public ResultStore {
 public:
  // Makes the folder and tries to write to it: a store that cannot work fails here.
  static StatusOr<std::unique_ptr<FsStore>> Open(const FsStoreOptions& options);

  Status Put(const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Get(const std::string& key) override;
  Status Delete(const std::string& key) override;
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor, int limit) override;
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override;
  StatusOr<TerminalRecord> ReadTerminal(const job::JobId& id) override;
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override;

 private:
  explicit FsStore(FsStoreOptions options) : options_(std::move(options)) {}
  std::string PathOf(const std::string& key) const { return options_.root + "/" + key; }

  const FsStoreOptions options_;
  const SystemClock clock_;  // the one that gives files their times
};

}  // namespace phasor::storage
