#include "common/rpc/client_tls.h"

#include "common/tls/handshake_probe.h"

namespace phasor::rpc {
namespace {

constexpr Millis kPatience{2'000};
constexpr char kSecure[] = "grpcs://";
constexpr char kPlain[] = "grpc://";

bool TakePrefix(const std::string& prefix, std::string* text) {
  if (text->rfind(prefix, 0) != 0) return false;
  text->erase(0, prefix.size());
  return true;
}

}  // namespace

StatusOr<ClientTls> OpenClientTls(const ClientTlsWords& words, const Clock* clock) {
  ClientTls tls{.always = words.tls || !words.files.empty(), .server_name = words.server_name};
  if (words.files.empty()) return tls;
  ASSIGN_OR_RETURN(tls.source, tls::Source::Open(words.files, clock));
  return tls;
}

Dial ParseDial(const std::string& address, bool always) {
  Dial dial{.address = address, .tls = always};
  if (TakePrefix(kSecure, &dial.address)) {
    dial.tls = true;
  } else if (TakePrefix(kPlain, &dial.address)) {
    dial.tls = false;
  }
  return dial;
}

std::string ExplainUnreachable(const std::string& address, const ClientTls& tls) {
  const Dial dial = ParseDial(address, tls.always);
  const tls::Material material = tls.source == nullptr ? tls::Material() : *tls.source->current();
  const std::string why = Message(tls::ExplainFailure(
      {.address = dial.address, .server_name = tls.server_name, .tls = dial.tls}, material,
      kPatience));
  if (!dial.tls && !why.empty()) {
    return why + ": say --tls-ca, or --tls, or grpcs:// before the address";
  }
  if (why.ends_with("speaks no TLS"))
    return why + ": say grpc:// before the address, or no --tls-ca";
  return why;
}

}  // namespace phasor::rpc
