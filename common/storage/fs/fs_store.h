// The result store in a folder, local or shared between machines: a key is a path below the root
// (layout.h). What is acknowledged is on the disk: files and the folders that name them are
// fsynced, and the terminal record is created by link(), which one writer wins on any POSIX file
// system.
//
// Once the store's identity has been seen, a folder without it is not the store: its volume is not
// mounted. Then nothing is written beside the mount point, and nothing counts as absent: calls are
// UNAVAILABLE.
//
// Thread-safe, and safe between processes. A crash in the middle of a write leaves at most a file
// whose name contains ".tmp-", which no key can name; a listing that passes it an hour later
// removes it, and folders that have been empty for as long.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

struct FsStoreOptions {
  std::string root;                         // absolute or relative path of the folder
  size_t max_blob_bytes = size_t{1} << 30;  // larger ones are RESOURCE_EXHAUSTED on both ways
  Millis leftover_age{3'600'000};           // a write that has taken longer has died
};

class FsStore final : public ResultStore {
 public:
  // Tries to write to a store that has its identity: one that cannot work, though it has room,
  // fails here, and so does a folder that is not there and can't be made. A folder without an
  // identity is left as it is, for it may be a mount point, and one that is not there is not left
  // behind; Identify() makes it a store.
  static StatusOr<std::unique_ptr<FsStore>> Open(const FsStoreOptions& options);

  Status Put(const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Get(const std::string& key) override;
  Status Delete(const std::string& key) override;
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor, int limit) override;
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override;
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override;
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override;

 private:
  explicit FsStore(FsStoreOptions options) : options_(std::move(options)) {}
  std::string PathOf(const std::string& key) const;
  // Where the key may be, too; "": nowhere.
  std::string OldPathOf(const std::string& key) const;
  StatusOr<TerminalRecord> ReadRecord(const job::JobId& id);
  // NOT_FOUND only if this is the store and there is no such file.
  StatusOr<std::string> Read(const std::string& key, size_t max_bytes);
  // Runs `write`, whose error is NOT_FOUND while the folder of `path` is missing, and makes that.
  Status Write(const std::string& path, const std::function<Status()>& write);
  // The bytes that stand, not necessarily the given ones.
  StatusOr<std::string> Create(const std::string& key, std::string_view bytes, size_t max_bytes);
  Status ProbeWriting();
  // OK if the folder is the store as far as that is known.
  Status CheckVolume();
  void LearnIdentity(const std::string& key, const std::string& bytes);

  const FsStoreOptions options_;
  const SystemClock clock_;
  Mutex mu_;
  std::string identity_ GUARDED_BY(mu_);  // the object's bytes; "": not seen yet
};

}  // namespace phasor::storage
