#include "common/storage/fs/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace phasor::storage {
namespace {

// What tells the name of a file that is still being written, as common/base/file.h makes it.
constexpr char kUnfinished[] = ".tmp-";

Status FolderError(int error, const std::string& path) {
  const std::string message = "cannot use folder " + path + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) return ResourceExhausted(message);
  if (error == ENOTDIR) return InvalidArgument(message);
  return Unavailable(message);
}

int64_t ModifiedMillis(const struct stat& info) {
  return info.st_mtim.tv_sec * int64_t{1000} + info.st_mtim.tv_nsec / 1'000'000;
}

StatusOr<std::vector<std::string>> SortedNames(const std::string& folder) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(folder.c_str());
  if (directory == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    return FolderError(errno, folder);
  }
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int error = errno;
  ::closedir(directory);
  if (error != 0) return FolderError(error, folder);
  std::sort(names.begin(), names.end());
  return names;
}

class Walker {
 public:
  explicit Walker(const Walk& walk) : walk_(walk) {}

  // Visits what is below `key` and behind `after`, a path relative to it ("": everything).
  Status Visit(const std::string& key, const std::string& after) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, SortedNames(walk_.root + "/" + key));
    const size_t slash = after.find('/');
    const std::string first = after.substr(0, slash);
    const std::string rest = slash == std::string::npos ? "" : after.substr(slash + 1);
    for (const std::string& name : names) {
      if (full_) return OkStatus();
      if (name < first) continue;
      const bool on_the_way = !after.empty() && name == first;
      RETURN_IF_ERROR(VisitEntry(key + "/" + name, name, on_the_way, rest));
    }
    return OkStatus();
  }

  ListPage TakePage() { return std::move(page_); }

 private:
  Status VisitEntry(const std::string& key, const std::string& name, bool on_the_way,
                    const std::string& rest) {
    const std::string path = walk_.root + "/" + key;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return OkStatus();  // deleted meanwhile
    if (!IsLegalKey(key)) {
      if (S_ISREG(info.st_mode) && name.find(kUnfinished) != std::string::npos && IsOld(info)) {
        ::unlink(path.c_str());
      }
      return OkStatus();
    }
    if (S_ISDIR(info.st_mode)) {
      // Fails, as it should, while something is in the folder.
      if (IsOld(info) && ::rmdir(path.c_str()) == 0) return OkStatus();
      return Visit(key, on_the_way ? rest : "");
    }
    if (S_ISREG(info.st_mode) && !on_the_way) Add(key, info);
    return OkStatus();
  }

  void Add(const std::string& key, const struct stat& info) {
    if (page_.objects.size() < static_cast<size_t>(walk_.limit)) {
      page_.objects.push_back({key, ModifiedMillis(info)});
      return;
    }
    page_.next = page_.objects.back().key;
    full_ = true;
  }

  bool IsOld(const struct stat& info) const {
    return ModifiedMillis(info) < walk_.leftovers_before_ms;
  }

  const Walk& walk_;
  ListPage page_;
  bool full_ = false;
};

}  // namespace

Status SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FolderError(errno, path);
  const int synced = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return synced == 0 ? OkStatus() : FolderError(error, path);
}

Status MakeFolderDurably(const std::string& folder) {
  const std::string parent = std::filesystem::path(folder).parent_path();
  for (const bool parent_made : {false, true}) {
    if (::mkdir(folder.c_str(), 0755) == 0) return SyncFolder(parent.empty() ? "." : parent);
    if (errno == EEXIST) return OkStatus();
    if (errno != ENOENT || parent_made || parent.empty() || parent == folder) break;
    RETURN_IF_ERROR(MakeFolderDurably(parent));
  }
  return FolderError(errno, folder);
}

StatusOr<ListPage> WalkFolder(const Walk& walk) {
  std::string after;
  if (!walk.cursor.empty()) {
    const std::string start = walk.prefix + "/";
    if (!IsLegalKey(walk.cursor) || walk.cursor.compare(0, start.size(), start) != 0) {
      return InvalidArgument("the cursor is none of a listing below " + walk.prefix);
    }
    after = walk.cursor.substr(start.size());
  }
  Walker walker(walk);
  RETURN_IF_ERROR(walker.Visit(walk.prefix, after));
  return walker.TakePage();
}

}  // namespace phasor::storage
