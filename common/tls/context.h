// What the TLS connections of one side have in common, as OpenSSL takes it: whom it trusts and what
// it shows. TLS 1.2 or later. Pure; a context may serve several threads.
#pragma once

#include "common/base/status.h"
#include "common/tls/material.h"
#include "common/tls/openssl_handle.h"

namespace phasor::tls {

// `material` without authorities trusts the system's.
StatusOr<ContextHandle> MakeClientContext(const Material& material);

// `material` has a certificate. With authorities, who shows none that they vouch for stays outside.
StatusOr<ContextHandle> MakeServerContext(const Material& material);

}  // namespace phasor::tls
