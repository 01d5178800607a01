#include "common/storage/fs/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/hash.h"

namespace phasor::storage {
namespace {

bool IsBehind(const FolderEntry& one, const FolderEntry& other) { return one.name > other.name; }

// Not every file system tells kinds along with names.
FolderEntry EntryOf(const std::string& folder, const dirent& entry) {
  FolderEntry result{.name = entry.d_name};
  unsigned char kind = entry.d_type;
  if (kind == DT_UNKNOWN) {
    struct stat info {};
    if (::lstat((folder + "/" + result.name).c_str(), &info) == 0) kind = IFTODT(info.st_mode);
  }
  result.is_folder = kind == DT_DIR;
  result.is_file = kind == DT_REG;
  return result;
}

}  // namespace

Status FolderError(int error, const std::string& path) {
  const std::string message = "cannot use folder " + path + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) return ResourceExhausted(message);
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

Status MakeFolderDurably(const std::string& folder) {
  std::string parent = std::filesystem::path(folder).parent_path();
  for (const bool parent_made : {false, true}) {
    const bool made = ::mkdir(folder.c_str(), 0755) == 0;
    if (made || errno == EEXIST) {
      // Also one that stands already: whoever made it may not have come to this.
      const Status synced = SyncFolder(parent.empty() ? "." : parent);
      // Or the repeat of the call would take it for durable.
      if (made && !synced.ok()) ::rmdir(folder.c_str());
      return synced;
    }
    if (errno != ENOENT || parent_made || parent.empty() || parent == folder) break;
    RETURN_IF_ERROR(MakeFolderDurably(parent));
  }
  return FolderError(errno, folder);
}

Status ProbeMakingFolder(const std::string& folder) {
  std::vector<std::string> missing;  // the innermost first
  for (std::filesystem::path path = folder; !path.empty() && ::access(path.c_str(), F_OK) != 0;
       path = path.parent_path()) {
    if (path.has_filename()) missing.push_back(path);
  }
  Status made;
  size_t left = missing.size();
  for (; left > 0 && made.ok(); --left) {
    if (::mkdir(missing[left - 1].c_str(), 0755) != 0 && errno != EEXIST) {
      made = FolderError(errno, missing[left - 1]);
    }
  }
  // Those of others that came in between are not empty, or as good as ours.
  for (; left < missing.size(); ++left) ::rmdir(missing[left].c_str());
  return made.code() == StatusCode::kResourceExhausted ? OkStatus() : made;
}

Status FolderReader::Read(const std::string& path, const std::string& from) {
  heap_.clear();
  left_ = 0;
  was_empty_ = true;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    was_empty_ = false;  // nothing that could be removed
    if (errno == ENOENT || errno == ENOTDIR) return OkStatus();
    return FolderError(errno, path);
  }
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    was_empty_ = false;
    if (name >= from) heap_.push_back(EntryOf(path, *entry));
    errno = 0;
  }
  const int error = errno;
  ::closedir(directory);
  if (error != 0) return FolderError(error, path);
  std::make_heap(heap_.begin(), heap_.end(), IsBehind);
  left_ = heap_.size();
  return OkStatus();
}

const FolderEntry* FolderReader::Next() {
  if (left_ == 0) return nullptr;
  std::pop_heap(heap_.begin(), heap_.begin() + static_cast<std::ptrdiff_t>(left_), IsBehind);
  return &heap_[--left_];
}

StatusOr<int64_t> FolderTime(const std::string& path) {
  const std::string file = path + "/clock.tmp-" + RandomToken();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return FolderError(errno, path);
  struct stat info {};
  const int known = ::fstat(fd, &info);
  const int error = errno;
  ::close(fd);
  ::unlink(file.c_str());
  if (known != 0) return FolderError(error, path);
  return info.st_mtim.tv_sec * int64_t{1000} + info.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace phasor::storage
