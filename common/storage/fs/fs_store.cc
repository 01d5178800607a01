#include "common/storage/fs/fs_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/storage/record_codec.h"

namespace phasor::storage {
namespace {

namespace fs = std::filesystem;

Status FolderError(int error, const std::string& path) {
  const std::string message = "cannot make folder " + path + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) return ResourceExhausted(message);
  if (error == EACCES || error == EPERM || error == EROFS) {
    return MakeStatus(StatusCode::kPermissionDenied, message);
  }
  if (error == ENOTDIR) return InvalidArgument(message);
  return Unavailable(message);
}

Status SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FolderError(errno, path);
  const int synced = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return synced == 0 ? OkStatus() : FolderError(error, path);
}

// Makes `folder` and what is missing above it; each new name is fsynced in its parent, or a
// record in it would be lost with the folder.
Status MakeFolderDurably(const std::string& folder) {
  const std::string parent = fs::path(folder).parent_path();
  for (const bool parent_made : {false, true}) {
    if (::mkdir(folder.c_str(), 0755) == 0) return SyncFolder(parent.empty() ? "." : parent);
    if (errno == EEXIST) return OkStatus();
    if (errno != ENOENT || parent_made || parent.empty() || parent == folder) break;
    RETURN_IF_ERROR(MakeFolderDurably(parent));
  }
  return FolderError(errno, folder);
}

// `write` fails with NOT_FOUND while its folder is missing, which is the exception.
template <typename Write>
Status WriteMakingFolder(const std::string& path, const Write& write) {
  const Status written = write();
  if (written.code() != StatusCode::kNotFound) return written;
  RETURN_IF_ERROR(MakeFolderDurably(fs::path(path).parent_path()));
  return write();
}

Status ListInto(const std::string& folder, const std::string& key, std::vector<std::string>* keys) {
  DIR* directory = ::opendir(folder.c_str());
  if (directory == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return OkStatus();
    return Unavailable("cannot read folder " + folder + ": " + std::strerror(errno));
  }
  std::vector<std::string> folders;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (!IsLegalKey(name)) continue;  // ".", "..", unfinished and foreign files
    struct stat info {};
    const std::string path = folder + "/" + name;
    if (::lstat(path.c_str(), &info) != 0) continue;  // deleted meanwhile
    if (S_ISDIR(info.st_mode)) folders.push_back(name);
    if (S_ISREG(info.st_mode)) keys->push_back(key + "/" + name);
  }
  ::closedir(directory);
  for (const std::string& name : folders) {
    RETURN_IF_ERROR(ListInto(folder + "/" + name, key + "/" + name, keys));
  }
  return OkStatus();
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
  RETURN_IF_ERROR(CheckKey(key));
  if (bytes.size() > options_.max_blob_bytes) {
    return InvalidArgument(key + " has " + std::to_string(bytes.size()) + " bytes; the limit is " +
                           std::to_string(options_.max_blob_bytes));
  }
  const std::string path = PathOf(key);
  return WriteMakingFolder(path, [&] { return WriteFileDurably(path, bytes); });
}

StatusOr<std::string> FsStore::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  return ReadFile(PathOf(key), options_.max_blob_bytes);
}

Status FsStore::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  const std::string path = PathOf(key);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return OkStatus();
  return Unavailable("cannot delete " + path + ": " + std::strerror(errno));
}

StatusOr<std::vector<std::string>> FsStore::List(const std::string& prefix) {
  RETURN_IF_ERROR(CheckKey(prefix));
  std::vector<std::string> keys;
  RETURN_IF_ERROR(ListInto(PathOf(prefix), prefix, &keys));
  return keys;
}

StatusOr<TerminalRecord> FsStore::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(const std::string bytes, EncodeRecord(record));
  const std::string path = PathOf(TerminalKey(record.id));
  const Status created = WriteMakingFolder(path, [&] { return CreateFileDurably(path, bytes); });
  if (!created.ok() && created.code() != StatusCode::kAlreadyExists) return created;
  // A winner whose fsync of the folder is still under way may crash: who reads its record and
  // acts on it makes it durable first.
  if (!created.ok()) RETURN_IF_ERROR(SyncFolder(fs::path(path).parent_path()));
  return ReadTerminal(record.id);
}

StatusOr<TerminalRecord> FsStore::ReadTerminal(const job::JobId& id) {
  if (!job::IsValidJobId(id)) return InvalidArgument("id is no job id");
  const std::string path = PathOf(TerminalKey(id));
  StatusOr<std::string> bytes = ReadFile(path, kMaxRecordBytes);
  if (bytes.status().code() == StatusCode::kNotFound) {
    return NotFound("no terminal record of job " + id);
  }
  RETURN_IF_ERROR(bytes.status());
  StatusOr<TerminalRecord> record = DecodeRecord(*bytes);
  if (!record.ok()) return Annotate(record.status(), path);
  if (record->id != id) return DataLoss(path + " belongs to job " + record->id);
  return record;
}

}  // namespace phasor::storage
