// A process's certificate and key and the authorities that it trusts, read from PEM files and
// checked, with a sentence for each way in which they can be wrong. Reading has no state:
// thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"

namespace phasor::tls {

// Paths; empty: none.
struct Files {
  std::string certificate = {};  // the process's own first, then those that vouch for it
  std::string key = {};          // of that certificate, without a passphrase
  std::string authorities = {};  // who may vouch for peers

  bool empty() const { return certificate.empty() && key.empty() && authorities.empty(); }
};

// What the files hold, as PEM texts.
struct Material {
  std::string chain;
  std::string key;
  std::string authorities;
  int64_t expires_ms = 0;  // wall time at which the chain's first certificate to expire does

  bool operator==(const Material&) const = default;
};

// FAILED_PRECONDITION names the file and says what is wrong with it: it is missing, holds no
// certificate or no key, a certificate has expired or is not valid yet, the key does not fit the
// certificate, a certificate of the chain was not issued by the next one. INVALID_ARGUMENT: a
// certificate without a key or a key without a certificate.
StatusOr<Material> ReadMaterial(const Files& files, int64_t wall_millis);

// "2026-11-30 21:30:00 UTC".
std::string TimeText(int64_t wall_millis);

}  // namespace phasor::tls
