#include "common/storage/fs/fs_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/storage/fs/folder.h"
#include "common/storage/fs/layout.h"
#include "common/storage/fs/walk.h"
#include "common/storage/read_each.h"
#include "common/storage/record_codec.h"

namespace phasor::storage {
namespace {

constexpr size_t kMaxIdentity = 4096;
constexpr size_t kReaders = 8;  // of the records of one call, for a folder of another machine

std::string ParentOf(const std::string& path) { return std::filesystem::path(path).parent_path(); }

bool Exists(const std::string& path) {
  struct stat info {};
  return !path.empty() && ::lstat(path.c_str(), &info) == 0;
}

// Something stands where the store's folder was, which is no mount point.
bool IsNoFolder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

// Who may not touch the folder is the operator's affair, never the caller's mistake.
Status AsStoreError(const Status& status) {
  return status.code() == StatusCode::kPermissionDenied ? Unavailable(Message(status)) : status;
}

// What fails once the file has its name leaves open whether it will stand.
Status Unknown(const Status& status) { return status.ok() ? status : Unavailable(Message(status)); }

StatusOr<TerminalRecord> RecordOf(const std::string& bytes, const std::string& path,
                                  const job::JobId& id) {
  StatusOr<TerminalRecord> record = DecodeRecord(bytes);
  if (!record.ok()) return Annotate(record.status(), path);
  if (record->id != id) return DataLoss(path + " belongs to job " + record->id);
  return record;
}

}  // namespace

StatusOr<std::unique_ptr<FsStore>> FsStore::Open(const FsStoreOptions& options) {
  if (options.root.empty()) return InvalidArgument("the store's folder has no name");
  auto store = std::unique_ptr<FsStore>(new FsStore(options));
  const StatusOr<std::string> identity = store->Get(kIdentityKey);
  Status works = identity.status();
  if (works.ok()) works = store->ProbeWriting();
  if (works.code() == StatusCode::kNotFound) {
    works = IsNoFolder(options.root) ? InvalidArgument(options.root + " is no folder")
                                     : ProbeMakingFolder(options.root);
  }
  if (!works.ok()) return Annotate(works, "result store " + options.root);
  return store;
}

Status FsStore::ProbeWriting() {
  const std::string probe = "probe-" + RandomToken();
  const Status put = Put(probe, "phasor");
  // A full store is read from and swept all the same.
  if (put.code() == StatusCode::kResourceExhausted) return OkStatus();
  RETURN_IF_ERROR(put);
  return Delete(probe);
}

std::string FsStore::PathOf(const std::string& key) const {
  return options_.root + "/" + PathOfKey(key);
}

std::string FsStore::OldPathOf(const std::string& key) const {
  const std::string old = OldPathOfKey(key);
  return old.empty() ? "" : options_.root + "/" + old;
}

Status FsStore::CheckVolume() {
  std::string expected;
  {
    MutexLock lock(&mu_);
    expected = identity_;
  }
  if (expected.empty()) return OkStatus();
  const StatusOr<std::string> found = ReadFile(options_.root + "/" + kIdentityKey, kMaxIdentity);
  if (found.ok() && *found == expected) return OkStatus();
  return Unavailable(options_.root + " is not the result store any more (" +
                     (found.ok() ? "it has another identity" : Message(found.status())) +
                     "): is its volume mounted?");
}

void FsStore::LearnIdentity(const std::string& key, const std::string& bytes) {
  if (key != kIdentityKey) return;
  MutexLock lock(&mu_);
  if (identity_.empty()) identity_ = bytes;
}

Status FsStore::Write(const std::string& path, const std::function<Status()>& write) {
  constexpr int kTries = 3;
  Status written = write();
  // A missing folder is the exception; it may also vanish again, empty and old, between being made
  // and being used.
  for (int i = 0; i < kTries && written.code() == StatusCode::kNotFound; ++i) {
    if (!IsNoFolder(options_.root)) RETURN_IF_ERROR(CheckVolume());
    RETURN_IF_ERROR(MakeFolderDurably(ParentOf(path)));
    written = write();
  }
  if (written.code() == StatusCode::kNotFound) return Unavailable(Message(written));
  return AsStoreError(written);
}

Status FsStore::Put(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckPut(key));
  RETURN_IF_ERROR(CheckPlace(key));
  if (bytes.size() > options_.max_blob_bytes) {
    return ResourceExhausted(key + " has " + std::to_string(bytes.size()) +
                             " bytes; this store's limit is " +
                             std::to_string(options_.max_blob_bytes));
  }
  const std::string path = PathOf(key);
  return Write(path, [&] { return WriteFileDurably(path, bytes); });
}

StatusOr<std::string> FsStore::Read(const std::string& key, size_t max_bytes) {
  StatusOr<std::string> bytes = ReadFile(PathOf(key), max_bytes);
  const std::string old = OldPathOf(key);
  if (bytes.status().code() == StatusCode::kNotFound && !old.empty()) {
    bytes = ReadFile(old, max_bytes);
  }
  if (bytes.status().code() == StatusCode::kNotFound) RETURN_IF_ERROR(CheckVolume());
  if (!bytes.ok()) return AsStoreError(bytes.status());
  return bytes;
}

StatusOr<std::string> FsStore::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  RETURN_IF_ERROR(CheckPlace(key));
  StatusOr<std::string> bytes = Read(key, options_.max_blob_bytes);
  if (bytes.ok()) LearnIdentity(key, *bytes);
  if (bytes.status().code() == StatusCode::kInvalidArgument) {
    std::error_code ignored;
    if (std::filesystem::is_directory(PathOf(key), ignored)) return NotFound("no object " + key);
    return ResourceExhausted(Message(bytes.status()));
  }
  return bytes;
}

Status FsStore::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  RETURN_IF_ERROR(CheckPlace(key));
  for (const std::string& path : {PathOf(key), OldPathOf(key)}) {
    if (path.empty() || ::unlink(path.c_str()) == 0) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) continue;  // no such object
    return Unavailable("cannot delete " + path + ": " + std::strerror(errno));
  }
  return OkStatus();
}

StatusOr<ListPage> FsStore::List(const std::string& prefix, const std::string& cursor, int limit) {
  RETURN_IF_ERROR(CheckList(prefix, limit));
  RETURN_IF_ERROR(CheckPlace(prefix));
  RETURN_IF_ERROR(CheckVolume());
  return WalkFolder({.root = options_.root,
                     .prefix = prefix,
                     .cursor = cursor,
                     .limit = limit,
                     .now_ms = clock_.WallMillis(),
                     .leftover_age = options_.leftover_age});
}

StatusOr<std::string> FsStore::Create(const std::string& key, std::string_view bytes,
                                      size_t max_bytes) {
  const std::string path = PathOf(key);
  const std::string old = OldPathOf(key);
  const bool in_old_place = Exists(old);
  if (!in_old_place) {
    const Status created = Write(path, [&] { return CreateFileDurably(path, bytes); });
    if (created.ok()) return std::string(bytes);
    if (created.code() != StatusCode::kAlreadyExists) return created;
  }
  // A winner whose fsync of the folder is still under way may crash: who reads what it created and
  // acts on it makes it durable first.
  RETURN_IF_ERROR(Unknown(SyncFolder(ParentOf(in_old_place ? old : path))));
  StatusOr<std::string> stands = Read(key, max_bytes);
  switch (stands.status().code()) {
    case StatusCode::kNotFound:  // it was there
      return Unavailable(Message(stands.status()));
    case StatusCode::kInvalidArgument:
      return DataLoss(Message(stands.status()));
    default:
      return stands;
  }
}

StatusOr<TerminalRecord> FsStore::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(const std::string bytes, EncodeRecord(record));
  const std::string key = TerminalKey(record.id);
  ASSIGN_OR_RETURN(const std::string stands, Create(key, bytes, kMaxRecordBytes));
  return RecordOf(stands, PathOf(key), record.id);
}

StatusOr<std::string> FsStore::CreateOnce(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckCreateOnce(key));
  RETURN_IF_ERROR(CheckPlace(key));
  ASSIGN_OR_RETURN(std::string stands, Create(key, bytes, options_.max_blob_bytes));
  LearnIdentity(key, stands);
  return stands;
}

std::vector<StatusOr<TerminalRecord>> FsStore::ReadTerminals(const std::vector<job::JobId>& ids) {
  return ReadEach(ids, kReaders, [this](const job::JobId& id) { return ReadRecord(id); });
}

StatusOr<TerminalRecord> FsStore::ReadRecord(const job::JobId& id) {
  if (!job::IsValidJobId(id)) return InvalidArgument("id is no job id");
  const std::string key = TerminalKey(id);
  const StatusOr<std::string> bytes = Read(key, kMaxRecordBytes);
  if (bytes.status().code() == StatusCode::kNotFound) {
    return NotFound("no terminal record of job " + id);
  }
  if (bytes.status().code() == StatusCode::kInvalidArgument) {
    return DataLoss(Message(bytes.status()));
  }
  RETURN_IF_ERROR(bytes.status());
  return RecordOf(*bytes, PathOf(key), id);
}

}  // namespace phasor::storage
