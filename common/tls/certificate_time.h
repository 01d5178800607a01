// When a certificate is valid, as wall time. Pure.
#pragma once

#include <cstdint>

#include <openssl/x509.h>

namespace phasor::tls {

int64_t NotBeforeMillis(const X509& certificate);
int64_t NotAfterMillis(const X509& certificate);

}  // namespace phasor::tls
