// How a client's channels are protected: the settings as a user writes them, and what becomes of
// them. Values.
#pragma once

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/tls/source.h"

namespace phasor::rpc {

struct ClientTlsWords {
  bool tls = false;              // also where neither an address nor another setting says so
  tls::Files files = {};         // authorities; certificate and key where servers ask for one
  std::string server_name = {};  // expected in place of the address's host
};

struct ClientTls {
  bool always = false;                       // else where an address says grpcs://
  std::shared_ptr<tls::Source> source = {};  // null: the system's authorities, no certificate
  std::string server_name = {};
};

// Errors as of tls::ReadMaterial. The clock outlives what is made of it.
StatusOr<ClientTls> OpenClientTls(const ClientTlsWords& words, const Clock* clock);

// An address without its scheme, and whether TLS is spoken there.
struct Dial {
  std::string address;
  bool tls = false;
};
// "grpcs://host:port", "grpc://host:port" (plain whatever `always` says), "host:port",
// "unix:/path".
Dial ParseDial(const std::string& address, bool always);

// Why no call reaches `address`, so far as TLS is the reason, as a sentence that says what to do.
// Tries to connect, for at most two seconds.
std::string ExplainUnreachable(const std::string& address, const ClientTls& tls);

}  // namespace phasor::rpc
