// The settings of a client's TLS, for programs that read them from files, variables and flags.
#pragma once

#include "common/config/settings.h"
#include "common/rpc/client_tls.h"

namespace phasor::rpc {

inline void DeclareClientTls(config::Settings& settings, ClientTlsWords* words) {
  settings.Flag({"tls", "speak TLS to gateways; the system's authorities vouch for them"},
                &words->tls);
  settings.Text({"tls_ca", "the same, with the authorities in this file"},
                &words->files.authorities);
  settings.Text({"tls_cert", "file with the certificate to show to gateways"},
                &words->files.certificate);
  settings.Text({"tls_key", "file with its key"}, &words->files.key);
  settings.Text({"tls_server_name", "expected in gateways' certificates, in place of the host"},
                &words->server_name);
}

}  // namespace phasor::rpc
