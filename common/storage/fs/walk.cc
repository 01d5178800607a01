#include "common/storage/fs/walk.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/storage/fs/folder.h"
#include "common/storage/fs/layout.h"

namespace phasor::storage {
namespace {

// What tells the name of a file that is still being written, as common/base/file.h makes it.
constexpr char kUnfinished[] = ".tmp-";
constexpr char kJobs[] = "jobs";

int64_t ModifiedMillis(const struct stat& info) {
  return info.st_mtim.tv_sec * int64_t{1000} + info.st_mtim.tv_nsec / 1'000'000;
}

// A path relative to a key, split at its first segment.
struct Behind {
  explicit Behind(const std::string& path)
      : first(path.substr(0, path.find('/'))),
        rest(first.size() == path.size() ? "" : path.substr(first.size() + 1)) {}
  std::string first;
  std::string rest;
};

class Walker {
 public:
  explicit Walker(const Walk& walk) : walk_(walk) {}

  // Visits what is below `key` and behind `after`, a path relative to it ("": everything).
  Status Visit(const std::string& key, const std::string& after) {
    return key == kJobs ? VisitJobs(Behind(after)) : VisitFolder(key, Behind(after));
  }

  ListPage TakePage() { return std::move(page_); }

 private:
  // Jobs lie in shards and, if they are older than those, beside them. By name a shard comes right
  // before the jobs beside it that would be in it.
  Status VisitJobs(const Behind& after) {
    FolderReader top;
    RETURN_IF_ERROR(top.Read(PathAt(kJobs), ShardOf(after.first)));
    const FolderEntry* entry = top.Next();
    while (entry != nullptr && !full_) {
      if (!IsShardName(entry->name)) {
        RETURN_IF_ERROR(VisitEntry(kJobs, *entry, PathAt(kJobs), after));
        entry = top.Next();
        continue;
      }
      const FolderEntry shard = *entry;
      std::vector<FolderEntry> beside;
      for (entry = top.Next(); entry != nullptr && ShardOf(entry->name) == shard.name;
           entry = top.Next()) {
        beside.push_back(*entry);
      }
      if (shard.is_folder) RETURN_IF_ERROR(VisitShard(shard.name, beside, after));
    }
    return OkStatus();
  }

  Status VisitShard(const std::string& first, const std::vector<FolderEntry>& beside,
                    const Behind& after) {
    const std::string path = PathAt(kJobs) + "/" + first;
    FolderReader seconds;
    const bool on_the_way = ShardOf(after.first) == first;
    RETURN_IF_ERROR(seconds.Read(path, on_the_way ? after.first.substr(first.size(), 2) : ""));
    ClearIfEmpty(seconds, path);
    auto other = beside.begin();
    const auto visit_beside = [&](const FolderEntry* until) -> Status {
      for (; other != beside.end() && (until == nullptr || other->name <= until->name); ++other) {
        // One that lies in both places is visited in both at once.
        if (until != nullptr && other->name == until->name) continue;
        RETURN_IF_ERROR(VisitEntry(kJobs, *other, PathAt(kJobs), after));
      }
      return OkStatus();
    };
    while (const FolderEntry* second = full_ ? nullptr : seconds.Next()) {
      if (!second->is_folder || !IsShardName(second->name)) continue;
      const std::string shard = path + "/" + second->name;
      FolderReader jobs;
      RETURN_IF_ERROR(jobs.Read(shard, after.first));
      ClearIfEmpty(jobs, shard);
      while (const FolderEntry* job = full_ ? nullptr : jobs.Next()) {
        if (!IsInShard(job->name, first, second->name)) continue;
        RETURN_IF_ERROR(visit_beside(job));
        RETURN_IF_ERROR(VisitEntry(kJobs, *job, shard, after));
      }
    }
    return visit_beside(nullptr);
  }

  // A job's folder may be in two places; what is in both counts once.
  Status VisitFolder(const std::string& key, const Behind& after) {
    const std::string path = PathAt(PathOfKey(key));
    const std::string old_key = OldPathOfKey(key);
    const std::string old_path = PathAt(old_key);
    FolderReader here;
    FolderReader there;
    RETURN_IF_ERROR(here.Read(path, after.first));
    if (!old_key.empty()) RETURN_IF_ERROR(there.Read(old_path, after.first));
    if (key != walk_.prefix) {
      ClearIfEmpty(here, path);
      if (!old_key.empty()) ClearIfEmpty(there, old_path);
    }
    const FolderEntry* entry = here.Next();
    const FolderEntry* other = there.Next();
    while ((entry != nullptr || other != nullptr) && !full_) {
      const bool is_old = entry == nullptr || (other != nullptr && other->name < entry->name);
      const FolderEntry& first = is_old ? *other : *entry;
      const bool both = !is_old && other != nullptr && other->name == first.name;
      RETURN_IF_ERROR(VisitEntry(key, first, is_old ? old_path : path, after));
      if (is_old || both) other = there.Next();
      if (!is_old) entry = here.Next();
    }
    return OkStatus();
  }

  // `folder`: where the entry lies.
  Status VisitEntry(const std::string& parent, const FolderEntry& entry, const std::string& folder,
                    const Behind& after) {
    if (full_ || entry.name < after.first) return OkStatus();
    const bool on_the_way = !after.first.empty() && entry.name == after.first;
    const std::string key = parent + "/" + entry.name;
    const std::string path = folder + "/" + entry.name;
    if (!IsLegalKey(key)) {
      const bool unfinished = entry.name.find(kUnfinished) != std::string::npos;
      if (entry.is_file && unfinished && IsOld(path)) ::unlink(path.c_str());
      return OkStatus();
    }
    if (entry.is_folder) return VisitFolder(key, Behind(on_the_way ? after.rest : ""));
    if (entry.is_file && !on_the_way) Add(key, path);
    return OkStatus();
  }

  void Add(const std::string& key, const std::string& path) {
    if (page_.objects.size() == static_cast<size_t>(walk_.limit)) {
      page_.next = page_.objects.back().key;
      full_ = true;
      return;
    }
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return;  // deleted meanwhile
    page_.objects.push_back({key, ModifiedMillis(info)});
  }

  // Fails, as it should, when something has come into the folder.
  void ClearIfEmpty(const FolderReader& reader, const std::string& path) {
    if (reader.was_empty() && IsOld(path)) ::rmdir(path.c_str());
  }

  bool IsOld(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return false;
    const int64_t modified = ModifiedMillis(info);
    if (walk_.now_ms - modified <= walk_.leftover_age.count()) return false;
    // Our clock may be wrong, and somebody still writing.
    if (!folder_ms_) folder_ms_ = FolderTime(PathAt(PathOfKey(walk_.prefix))).value_or(0);
    return *folder_ms_ - modified > walk_.leftover_age.count();
  }

  std::string PathAt(const std::string& key) const { return walk_.root + "/" + key; }
  static std::string ShardOf(const std::string& name) { return name.substr(0, 2); }

  const Walk& walk_;
  ListPage page_;
  bool full_ = false;
  std::optional<int64_t> folder_ms_;  // now, by the folder's clock
};

}  // namespace

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
