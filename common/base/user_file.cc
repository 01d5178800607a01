#include "common/base/user_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/hash.h"

namespace phasor {
namespace {

constexpr int kMaxLinks = 40;  // as Linux follows them

// A descriptor that is closed when its scope ends; standard input is not.
class Opened {
 public:
  explicit Opened(int fd) : fd_(fd) {}
  ~Opened() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status CannotWrite(const std::string& path, int error) {
  return MakeStatus(StatusCode::kUnknown, "cannot write " + path + ": " + std::strerror(error));
}

Status CannotRead(const std::string& path, int error) {
  return InvalidArgument("cannot read " + path + ": " + std::strerror(error));
}

// 0 or errno.
int WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return errno;
    bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(n, 0)));
  }
  return 0;
}

// Where the links lead, which need not exist yet.
std::string EndOfLinks(std::string path) {
  for (int links = 0; links < kMaxLinks; ++links) {
    std::error_code error;
    const std::filesystem::path target = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : std::filesystem::path(path).parent_path() / target;
  }
  return path;
}

Status WriteInPlace(const std::string& path, std::string_view bytes, int flags) {
  const Opened file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags));
  if (!file.ok()) return CannotWrite(path, errno);
  if (const int error = WriteAll(file.fd(), bytes); error != 0) return CannotWrite(path, error);
  return OkStatus();
}

// 0 or errno; nothing is left behind after an error.
int WriteBeside(const std::string& temporary, std::string_view bytes, const struct stat* former) {
  const Opened file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.ok()) return errno;
  int error = WriteAll(file.fd(), bytes);
  if (error == 0 && former != nullptr) {
    // Whose file it was may be beyond our power to keep; its mode is not.
    (void)!::fchown(file.fd(), former->st_uid, former->st_gid);
    if (::fchmod(file.fd(), former->st_mode & 07777) != 0) error = errno;
  }
  if (error == 0 && ::fsync(file.fd()) != 0) error = errno;
  if (error != 0) ::unlink(temporary.c_str());
  return error;
}

Status Replace(const std::string& path, std::string_view bytes, const struct stat* former) {
  const std::string temporary = path + ".tmp-" + RandomToken();
  int error = WriteBeside(temporary, bytes, former);
  if ((error == EACCES || error == EPERM || error == EROFS) && former != nullptr) {
    return WriteInPlace(path, bytes, O_TRUNC);
  }
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) {
    error = errno;
    ::unlink(temporary.c_str());
  }
  return error == 0 ? OkStatus() : CannotWrite(path, error);
}

// A mark of UTF-16, in either order of bytes.
bool IsUtf16(std::string_view text) {
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
}

}  // namespace

Status WriteUserFile(const std::string& path, std::string_view bytes) {
  struct stat former {};
  if (::stat(path.c_str(), &former) != 0) {
    if (errno != ENOENT) return CannotWrite(path, errno);
    return Replace(EndOfLinks(path), bytes, nullptr);
  }
  if (S_ISDIR(former.st_mode)) return CannotWrite(path, EISDIR);
  if (!S_ISREG(former.st_mode)) return WriteInPlace(path, bytes, 0);
  return Replace(EndOfLinks(path), bytes, &former);
}

StatusOr<std::string> ReadUserBytes(const std::string& path, size_t max_bytes) {
  const Opened file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return CannotRead(path, errno);
  std::string bytes;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.fd(), chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path, errno);
    if (n == 0) return bytes;
    bytes.append(chunk, static_cast<size_t>(n));
    if (bytes.size() > max_bytes) {
      return InvalidArgument(path + " has more than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

StatusOr<std::string> ReadUserText(const std::string& path, size_t max_bytes) {
  ASSIGN_OR_RETURN(std::string text, ReadUserBytes(path, max_bytes));
  if (IsUtf16(text)) return InvalidArgument(path + " is UTF-16; save it as UTF-8");
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text;
}

}  // namespace phasor
