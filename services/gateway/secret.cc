#include "services/gateway/secret.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMinBytes = 16;
constexpr size_t kMaxBytes = 4096;

Status Failed(const std::string& path) {
  return FailedPrecondition("can't make the secret file " + path + ": " + std::strerror(errno));
}

Status WriteAndSync(int fd, const std::string& text, const std::string& path) {
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const Status result = written && fsync(fd) == 0 ? OkStatus() : Failed(path);
  close(fd);
  return result;
}

// Written whole under another name, then linked: of several processes one wins, and nobody reads
// half a secret.
Status MakeSecret(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    RETURN_IF_ERROR(MakeDirectories(path.substr(0, slash)));
  }
  const std::string partial = path + "." + RandomToken();
  const int fd = open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Failed(path);
  Status made = WriteAndSync(fd, RandomToken() + RandomToken() + "\n", path);
  if (made.ok() && link(partial.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    made = Failed(path);
  }
  unlink(partial.c_str());
  return made;
}

}  // namespace

StatusOr<std::string> ReadOrMakeSecret(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) RETURN_IF_ERROR(MakeSecret(path));
  ASSIGN_OR_RETURN(const std::string content, ReadFile(path, kMaxBytes));
  const std::string secret = content.substr(0, content.find_last_not_of('\n') + 1);
  if (secret.size() < kMinBytes) {
    return InvalidArgument("the secret in " + path + " has fewer than 16 bytes");
  }
  return secret;
}

}  // namespace phasor::gateway
