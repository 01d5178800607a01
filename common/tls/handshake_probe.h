// Why a conversation with a server does not come about, in a sentence. gRPC says only that it
// failed; so whoever has to tell a person tries the handshake once more, here.
// Thread-safe (no shared state).
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/tls/material.h"

namespace phasor::tls {

struct Peer {
  std::string address;           // host:port or unix:/path
  std::string server_name = {};  // expected in the certificate; empty: the host of the address
  bool tls = true;               // false: the client speaks plain text
};

// Connects as a client with `material` does, waiting for at most `patience` in all. OK: nothing is
// wrong with certificates or protocols, or nobody listens there, which others say.
// FAILED_PRECONDITION: what is wrong, e.g. that the certificate expired, is for other names, or
// that the server speaks no TLS.
Status ExplainFailure(const Peer& peer, const Material& material, Millis patience);

}  // namespace phasor::tls
