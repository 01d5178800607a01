#include "common/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/hash.h"

namespace phasor {
namespace {

// Closes on scope exit; -1 is nothing.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status ErrnoStatus(int error, const std::string& path, const std::string& verb) {
  const std::string message = "cannot " + verb + " " + path + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return NotFound(message);
    case EEXIST:
      return AlreadyExists(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ResourceExhausted(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return MakeStatus(StatusCode::kPermissionDenied, message);
    default:
      return Unavailable(message);
  }
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, path, "write");
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return OkStatus();
}

// Makes the name durable under which `path` stands already: whatever fails now, it may stay.
Status SyncDirectoryOf(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path();
  if (parent.empty()) parent = ".";
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.ok() && ::fsync(directory.get()) == 0) return OkStatus();
  return Unavailable(path + " is there, but may not last: cannot sync " + parent + ": " +
                     std::strerror(errno));
}

using WriteContent = std::function<Status(const FileSink& sink)>;

// Writes to a new file beside `path` and fsyncs it; the caller moves or removes it.
StatusOr<std::string> WriteTemporary(const std::string& path, const WriteContent& write) {
  const std::string temporary = path + ".tmp-" + RandomToken();
  Status written = OkStatus();
  {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.ok()) return ErrnoStatus(errno, temporary, "create");
    written = write([&](std::string_view bytes) { return WriteAll(fd.get(), bytes, path); });
    if (written.ok() && ::fsync(fd.get()) != 0) written = ErrnoStatus(errno, path, "sync");
  }
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  return temporary;
}

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, path, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, path, "stat");
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + " is not a regular file");
  if (static_cast<size_t>(info.st_size) > max_bytes) {
    return InvalidArgument(path + " has " + std::to_string(info.st_size) + " bytes; the limit is " +
                           std::to_string(max_bytes));
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, path, "read");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

Status WriteFileDurably(const std::string& path, std::string_view bytes) {
  return WriteFileDurably(path, [&](const FileSink& sink) { return sink(bytes); });
}

Status WriteFileDurably(const std::string& path, const WriteContent& write) {
  ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(path, write));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return ErrnoStatus(error, path, "rename to");
  }
  return SyncDirectoryOf(path);
}

Status CreateFileDurably(const std::string& path, std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::string temporary,
                   WriteTemporary(path, [&](const FileSink& sink) { return sink(bytes); }));
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int error = errno;
  ::unlink(temporary.c_str());
  if (linked != 0) return ErrnoStatus(error, path, "create");
  return SyncDirectoryOf(path);
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrnoStatus(error.value(), path, "make directory");
  return OkStatus();
}

StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, path, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, path, "stat");
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + " is not a regular file");
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return ErrnoStatus(errno, path, "map");
  return MappedFile(static_cast<uint8_t*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace phasor
