// The directory of a fleet on this machine: made, found writable, and held by one `phasor up` at a
// time. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::cli {

class FleetDirectory {
 public:
  // Makes the directory with what belongs into it. FAILED_PRECONDITION: it can't be made or
  // written, or another fleet runs in it; the sentence says which.
  static StatusOr<FleetDirectory> Claim(const std::string& path);
  FleetDirectory(FleetDirectory&& other) noexcept;
  FleetDirectory& operator=(FleetDirectory&&) = delete;
  // Lets go and removes the address file.
  ~FleetDirectory();

  const std::string& path() const { return path_; }
  // Says where the gateways listen, for commands without --address.
  Status WriteAddresses(const std::vector<std::string>& addresses) const;

 private:
  FleetDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_ = -1;
};

}  // namespace phasor::cli
