#include "bench/gateway/sides.h"

#include <memory>
#include <utility>

#include "common/base/clock.h"
#include "common/base/file.h"

namespace phasor::bench {
namespace {

StatusOr<std::string> ReadKey(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string key, ReadFile(file, 1000));
  return key.substr(0, key.find('\n'));
}

}  // namespace

void AddSides(flags::Command& line, SideWords* words) {
  line.Text("--echo", &words->echo, "address of phasor-bench-echo");
  line.Text("--gateway", &words->gateway, "address of phasor-gateway");
  line.Text("--guarded", &words->guarded, "address of one that asks for API keys");
  line.Text("--plain", &words->plain, "host:port of one in plain text");
  line.Text("--tls", &words->tls, "host:port of one with TLS");
  line.Text("--tls-key", &words->tls_key, "host:port of one with TLS that asks for API keys");
  line.Text("--mutual", &words->mutual, "host:port of one that asks for a certificate");
  line.Text("--key-file", &words->key_file, "file with an API key");
  line.Text("--ca", &words->files.authorities, "file with the authority of those with TLS");
  line.Text("--cert", &words->files.certificate, "file with the certificate to show");
  line.Text("--cert-key", &words->files.key, "file with its key");
}

StatusOr<std::vector<Side>> PlanSides(const SideWords& words) {
  static const SystemClock clock;
  std::vector<Side> sides;
  const auto add = [&](const char* name, const std::string& address) -> Side& {
    sides.push_back({.name = name, .address = address});
    return sides.back();
  };
  if (!words.echo.empty()) add("echo", words.echo);
  if (!words.gateway.empty()) {
    add("gateway", words.gateway);
    const size_t gateway = sides.size() - 1;
    Side& keys = add("keys", words.gateway);
    keys.keys = true;
    keys.base = gateway;
    if (!words.guarded.empty()) {
      Side& guarded = add("api key", words.guarded);
      guarded.base = gateway;
      ASSIGN_OR_RETURN(guarded.credential, ReadKey(words.key_file));
    }
  }
  if (!words.plain.empty()) {
    add("plain", words.plain);
    const size_t plain = sides.size() - 1;
    sides.back().base = plain;
    ASSIGN_OR_RETURN(const auto trusts,
                     tls::Source::Open({.authorities = words.files.authorities}, &clock));
    ASSIGN_OR_RETURN(const auto shows, tls::Source::Open(words.files, &clock));
    for (const auto& [name, address] :
         {std::pair("tls", words.tls), std::pair("tls+key", words.tls_key),
          std::pair("mtls", words.mutual)}) {
      if (address.empty()) continue;
      Side& side = add(name, address);
      side.base = plain;
      side.tls = address == words.mutual ? shows : trusts;
      if (address == words.tls_key) {
        ASSIGN_OR_RETURN(side.credential, ReadKey(words.key_file));
      }
    }
  }
  if (sides.empty()) return InvalidArgument("give --echo, --gateway or --plain");
  return sides;
}

}  // namespace phasor::bench
