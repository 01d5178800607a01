#include "services/cli/text/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/hash.h"

namespace phasor::cli {

Status WriteSecretFile(const std::string& path, const std::string& text) {
  const std::string partial = path + "." + RandomToken();
  const int fd = open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool written = fd >= 0;
  if (written) {
    written =
        write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
    close(fd);
  }
  if (written && rename(partial.c_str(), path.c_str()) == 0) return OkStatus();
  const Status failed =
      MakeStatus(StatusCode::kUnknown, "can't write " + path + ": " + std::strerror(errno));
  unlink(partial.c_str());
  return failed;
}

}  // namespace phasor::cli
