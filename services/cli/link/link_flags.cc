#include "services/cli/link/link_flags.h"

namespace phasor::cli {

void AddLinkFlags(flags::Command& line, Session& session) {
  line.List("--address", &session.addresses,
            "of a gateway, host:port or unix:/path, grpcs:// before it for TLS; of several with "
            "commas between them, or repeated; default: PHASOR_ADDRESS, the running 'phasor up', "
            "127.0.0.1:50051");
  line.List("--admin-address", &session.admin_addresses,
            "where it serves operators, if that is elsewhere; default: PHASOR_ADMIN_ADDRESS");
  line.Text("--credential-file", &session.credential_file,
            "file with the key or token that calls carry; default: that of the running 'phasor up'")
      .FromVariable("PHASOR_KEY_FILE");
  tls::Files& files = session.tls.files;
  line.Flag("--tls", &session.tls.tls, "speak TLS; the system's authorities vouch for gateways")
      .FromVariable("PHASOR_TLS");
  line.Text("--tls-ca", &files.authorities, "the same, with the authorities in this file")
      .FromVariable("PHASOR_TLS_CA");
  line.Text("--tls-cert", &files.certificate, "file with the certificate to show")
      .FromVariable("PHASOR_TLS_CERT");
  line.Text("--tls-key", &files.key, "file with its key").FromVariable("PHASOR_TLS_KEY");
  line.Text("--tls-server-name", &session.tls.server_name,
            "expected in the gateway's certificate, in place of the host")
      .FromVariable("PHASOR_TLS_SERVER_NAME");
}

}  // namespace phasor::cli
