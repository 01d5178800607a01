// Certificates of a fleet on this machine, made for trying TLS out. The authority's key is thrown
// away as soon as it has signed, so nothing else can ever be signed with it. Not thread-safe.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::cli {

// In a fleet's directory: what gateways show. What clients trust is AuthorityFile
// (link/address.h).
std::string GatewayCertificateFile(const std::string& directory);
std::string GatewayKeyFile(const std::string& directory);

// Makes them anew, for a year, for this machine's names and the host of `listen`. The directory is
// there. INVALID_ARGUMENT: `listen` is a unix socket, which nobody else can listen to.
Status MakeFleetCertificates(const std::string& directory, const std::string& listen);

}  // namespace phasor::cli
