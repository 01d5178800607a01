#include "common/storage/fs/fs_store.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/storage/fs/folder.h"
#include "common/storage/record_codec.h"

namespace phasor::storage {
namespace {

std::string ParentOf(const std::string& path) { return std::filesystem::path(path).parent_path(); }

// Who may not touch the folder is the operator's affair, never the caller's mistake.
Status AsStoreError(const Status& status) {
  return status.code() == StatusCode::kPermissionDenied ? Unavailable(Message(status)) : status;
}

// `write` fails with NOT_FOUND while its folder is missing, which is the exception; it may also
// vanish again, empty and old, between being found and being used.
template <typename Write>
Status WriteMakingFolder(const std::string& path, const Write& write) {
  constexpr int kTries = 3;
  Status written = write();
  for (int i = 0; i < kTries && written.code() == StatusCode::kNotFound; ++i) {
    RETURN_IF_ERROR(MakeFolderDurably(ParentOf(path)));
    written = write();
  }
  if (written.code() == StatusCode::kNotFound) return Unavailable(Message(written));
  return AsStoreError(written);
}

}  // namespace

StatusOr<std::unique_ptr<FsStore>> FsStore::Open(const FsStoreOptions& options) {
  if (options.root.empty()) return InvalidArgument("the store's folder has no name");
  auto store = std::unique_ptr<FsStore>(new FsStore(options));
  const std::string probe = "probe-" + RandomToken();
  const Status written = store->Put(probe, "phasor");
  if (!written.ok()) return Annotate(written, "result store " + options.root);
  RETURN_IF_ERROR(store->Delete(probe));
  return store;
}

Status FsStore::Put(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckPut(key));
  if (bytes.size() > options_.max_blob_bytes) {
    return ResourceExhausted(key + " has " + std::to_string(bytes.size()) +
                             " bytes; this store's limit is " +
                             std::to_string(options_.max_blob_bytes));
  }
  const std::string path = PathOf(key);
  return WriteMakingFolder(path, [&] { return WriteFileDurably(path, bytes); });
}

StatusOr<std::string> FsStore::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  const std::string path = PathOf(key);
  StatusOr<std::string> bytes = ReadFile(path, options_.max_blob_bytes);
  if (bytes.status().code() == StatusCode::kInvalidArgument) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return NotFound("no object " + key);
    return ResourceExhausted(Message(bytes.status()));
  }
  if (!bytes.ok()) return AsStoreError(bytes.status());
  return bytes;
}

Status FsStore::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  const std::string path = PathOf(key);
  if (::unlink(path.c_str()) == 0) return OkStatus();
  if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return OkStatus();  // no such object
  return Unavailable("cannot delete " + path + ": " + std::strerror(errno));
}

StatusOr<ListPage> FsStore::List(const std::string& prefix, const std::string& cursor, int limit) {
  RETURN_IF_ERROR(CheckList(prefix, limit));
  return WalkFolder({.root = options_.root,
                     .prefix = prefix,
                     .cursor = cursor,
                     .limit = limit,
                     .leftovers_before_ms = clock_.WallMillis() - options_.leftover_age.count()});
}

StatusOr<TerminalRecord> FsStore::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(const std::string bytes, EncodeRecord(record));
  const std::string path = PathOf(TerminalKey(record.id));
  const Status created = WriteMakingFolder(path, [&] { return CreateFileDurably(path, bytes); });
  if (!created.ok() && created.code() != StatusCode::kAlreadyExists) return created;
  // A winner whose fsync of the folder is still under way may crash: who reads its record and
  // acts on it makes it durable first.
  if (!created.ok()) RETURN_IF_ERROR(SyncFolder(ParentOf(path)));
  return ReadTerminal(record.id);
}

StatusOr<std::string> FsStore::CreateOnce(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckCreateOnce(key));
  const std::string path = PathOf(key);
  const Status created = WriteMakingFolder(path, [&] { return CreateFileDurably(path, bytes); });
  if (!created.ok() && created.code() != StatusCode::kAlreadyExists) return created;
  if (!created.ok()) RETURN_IF_ERROR(SyncFolder(ParentOf(path)));
  return Get(key);
}

StatusOr<TerminalRecord> FsStore::ReadTerminal(const job::JobId& id) {
  if (!job::IsValidJobId(id)) return InvalidArgument("id is no job id");
  const std::string path = PathOf(TerminalKey(id));
  StatusOr<std::string> bytes = ReadFile(path, kMaxRecordBytes);
  if (bytes.status().code() == StatusCode::kNotFound) {
    return NotFound("no terminal record of job " + id);
  }
  if (!bytes.ok()) return AsStoreError(bytes.status());
  StatusOr<TerminalRecord> record = DecodeRecord(*bytes);
  if (!record.ok()) return Annotate(record.status(), path);
  if (record->id != id) return DataLoss(path + " belongs to job " + record->id);
  return record;
}

}  // namespace phasor::storage
