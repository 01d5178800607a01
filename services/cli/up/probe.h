// Whether the parts of a fleet answer. Blocks for at most a second a call; thread-safe.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/rpc/client_tls.h"

namespace phasor::cli {

// A Redis on a unix socket says PONG.
bool RedisAnswers(const std::string& socket);

// Somebody accepts connections at "host:port" or "unix:/path".
bool IsListening(const std::string& address);

// A worker of the gateway's fleet takes jobs.
// `credential_file`: of an operator's credential; empty: none is needed.
bool WorkersReady(const std::string& address, const std::string& credential_file,
                  const rpc::ClientTlsWords& tls);

// `address` with a free port in place of port 0; others as they are.
StatusOr<std::string> WithFreePort(const std::string& address);

}  // namespace phasor::cli
