// Makes authorities and certificates of one's own: for trying TLS out on one machine, and for
// tests, which need wrong ones as well. Not for production: keys lie around as texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::tls {

// A certificate with its key, as PEM texts.
struct Issued {
  std::string certificate;
  std::string key;
};

struct Validity {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
};

StatusOr<Issued> MakeAuthority(const std::string& name, const Validity& validity);

// For servers and clients alike. `names`: what it may be called, names of hosts and IP addresses;
// the first is its common name.
StatusOr<Issued> IssueCertificate(const Issued& authority, const std::vector<std::string>& names,
                                  const Validity& validity);

}  // namespace phasor::tls
