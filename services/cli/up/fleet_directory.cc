#include "services/cli/up/fleet_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/file.h"
#include "services/cli/link/address.h"

namespace phasor::cli {

StatusOr<FleetDirectory> FleetDirectory::Claim(const std::string& path) {
  for (const char* folder : {"", "/cache", "/logs", "/redis", "/store"}) {
    const Status made = MakeDirectories(path + folder);
    if (!made.ok()) {
      return FailedPrecondition("the fleet's directory can't be made: " + Message(made));
    }
  }
  const std::string file = path + "/lock";
  const int lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) {
    return FailedPrecondition("the fleet's directory " + path +
                              " can't be written: " + std::strerror(errno));
  }
  FleetDirectory directory(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(std::exchange(directory.lock_, -1));
    return FailedPrecondition("a fleet runs in " + path +
                              " already; stop it, or give another --dir");
  }
  return directory;
}

FleetDirectory::FleetDirectory(FleetDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

FleetDirectory::~FleetDirectory() {
  if (lock_ < 0) return;
  unlink(AddressFile(path_).c_str());
  close(lock_);
}

Status FleetDirectory::WriteAddresses(const std::vector<std::string>& addresses) const {
  std::string lines;
  for (const std::string& address : addresses) lines += address + "\n";
  return WriteFileDurably(AddressFile(path_), lines);
}

}  // namespace phasor::cli
