#include "services/cli/up/fleet_certificates.h"

#include <algorithm>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/process.h"
#include "common/tls/client_side.h"
#include "common/tls/issue.h"
#include "services/cli/link/address.h"
#include "services/cli/text/secret_file.h"

namespace phasor::cli {
namespace {

constexpr int64_t kDayMs = 24 * 3'600'000LL;

}  // namespace

std::string GatewayCertificateFile(const std::string& directory) {
  return directory + "/tls/gateway.pem";
}

std::string GatewayKeyFile(const std::string& directory) { return directory + "/tls/gateway.key"; }

Status MakeFleetCertificates(const std::string& directory, const std::string& listen) {
  if (listen.starts_with("unix:")) {
    return InvalidArgument("--tls: a unix socket needs none; listen on host:port");
  }
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1", HostName()};
  const std::string host = tls::HostOf(listen);
  if (std::find(names.begin(), names.end(), host) == names.end()) names.push_back(host);
  const int64_t now = SystemClock().WallMillis();
  const tls::Validity year{.from_ms = now - kDayMs, .to_ms = now + 365 * kDayMs};
  ASSIGN_OR_RETURN(const tls::Issued authority, tls::MakeAuthority("phasor up", year));
  ASSIGN_OR_RETURN(const tls::Issued gateway, tls::IssueCertificate(authority, names, year));
  RETURN_IF_ERROR(MakeDirectories(directory + "/tls"));
  RETURN_IF_ERROR(WriteFileDurably(AuthorityFile(directory), authority.certificate));
  RETURN_IF_ERROR(WriteFileDurably(GatewayCertificateFile(directory), gateway.certificate));
  return WriteSecretFile(GatewayKeyFile(directory), gateway.key);
}

}  // namespace phasor::cli
