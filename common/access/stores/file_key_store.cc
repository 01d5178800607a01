#include "common/access/stores/file_key_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::access {
namespace {

constexpr size_t kMaxBytes = 16 << 20;

// Held by one writer at a time; a file beside, for the keys' own is replaced.
class WriteLock {
 public:
  static StatusOr<WriteLock> Take(const std::string& path) {
    const std::string name = path + ".lock";
    const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
      const Status failed =
          FailedPrecondition("can't write keys to " + path + ": " + std::strerror(errno));
      if (fd >= 0) close(fd);
      return failed;
    }
    return WriteLock(fd);
  }
  WriteLock(WriteLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  WriteLock& operator=(WriteLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~WriteLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit WriteLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

StatusOr<KeyList> FileKeyStore::Read() {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path_, kMaxBytes));
  KeyList list{.keys = {}, .version = Sha256Hex(text)};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos || line.front() == '#') continue;
    auto record = DecodeKeyRecord(line);
    record.ok() ? list.keys.push_back(*std::move(record)) : void(++list.damaged);
  }
  std::sort(list.keys.begin(), list.keys.end(),
            [](const auto& one, const auto& other) { return one.id < other.id; });
  // Of two of one id nobody knows which is meant.
  for (auto twin = list.keys.begin(); twin != list.keys.end();) {
    const auto end = std::find_if(twin, list.keys.end(),
                                  [&](const KeyRecord& record) { return record.id != twin->id; });
    if (end - twin == 1) {
      twin = end;
      continue;
    }
    list.damaged += static_cast<int>(end - twin);
    twin = list.keys.erase(twin, end);
  }
  return list;
}

StatusOr<std::string> FileKeyStore::Version() {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path_, kMaxBytes));
  return Sha256Hex(text);
}

Status FileKeyStore::Write(const std::vector<KeyRecord>& records) const {
  std::string text = "# Keys of phasor: 'phasor keys' writes here. The secrets are not in it.\n";
  for (const KeyRecord& record : records) text += EncodeKeyRecord(record) + "\n";
  RETURN_IF_ERROR(WriteFileDurably(path_, text));
  if (chmod(path_.c_str(), 0600) == 0) return OkStatus();
  return FailedPrecondition("can't protect " + path_ + ": " + std::strerror(errno));
}

Status FileKeyStore::Add(const KeyRecord& record) {
  ASSIGN_OR_RETURN(const WriteLock lock, WriteLock::Take(path_));
  auto list = Read();
  if (!list.ok() && list.status().code() != StatusCode::kNotFound) return list.status();
  std::vector<KeyRecord> records = list.ok() ? std::move(list->keys) : std::vector<KeyRecord>();
  const bool there = std::any_of(records.begin(), records.end(),
                                 [&](const KeyRecord& other) { return other.id == record.id; });
  if (there) return AlreadyExists("there is a key of this id");
  records.push_back(record);
  return Write(records);
}

Status FileKeyStore::Remove(const std::string& id) {
  ASSIGN_OR_RETURN(const WriteLock lock, WriteLock::Take(path_));
  ASSIGN_OR_RETURN(KeyList list, Read());
  const auto removed =
      std::erase_if(list.keys, [&](const KeyRecord& record) { return record.id == id; });
  if (removed == 0) return NotFound("there is no such key");
  return Write(list.keys);
}

}  // namespace phasor::access
