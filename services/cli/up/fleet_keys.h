// The keys of a fleet on this machine, made for trying it out: one for its owner, who may do all
// that people may, and one for its workers. Not thread-safe.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::cli {

// In a fleet's directory: what gateways read, and what workers carry. The owner's is
// OwnerKeyFile (link/address.h).
std::string KeysFile(const std::string& directory);
std::string WorkerKeyFile(const std::string& directory);

// Makes those that are not there. The directory is.
Status MakeFleetKeys(const std::string& directory);

}  // namespace phasor::cli
