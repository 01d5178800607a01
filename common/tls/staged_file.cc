#include "common/tls/staged_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace phasor::tls {
namespace {

// The descriptor of a file in memory with `text`.
StatusOr<int> Write(const std::string& text, int64_t version) {
  const int fd = memfd_create("certificates", MFD_CLOEXEC);
  const timespec stamp{.tv_sec = version, .tv_nsec = 0};
  const timespec both[] = {stamp, stamp};
  if (fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      futimens(fd, both) == 0) {
    return fd;
  }
  const int error = errno;
  if (fd >= 0) close(fd);
  return FailedPrecondition(std::string("can't keep certificates in memory: ") +
                            std::strerror(error));
}

}  // namespace

StatusOr<std::unique_ptr<StagedFile>> StagedFile::Make(const std::string& text) {
  ASSIGN_OR_RETURN(const int fd, Write(text, 1));
  return std::unique_ptr<StagedFile>(new StagedFile(fd));
}

Status StagedFile::Replace(const std::string& text) {
  ASSIGN_OR_RETURN(const int fresh, Write(text, version_ + 1));
  ++version_;
  const bool replaced = dup3(fresh, fd_, O_CLOEXEC) >= 0;
  const int error = errno;
  close(fresh);
  if (replaced) return OkStatus();
  return FailedPrecondition(std::string("can't keep certificates in memory: ") +
                            std::strerror(error));
}

std::string StagedFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

}  // namespace phasor::tls
