#include "common/tls/certificate_time.h"

#include <ctime>

#include <openssl/asn1.h>

namespace phasor::tls {
namespace {

int64_t Millis(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return int64_t{timegm(&parts)} * 1000;
}

}  // namespace

int64_t NotBeforeMillis(const X509& certificate) {
  return Millis(X509_get0_notBefore(&certificate));
}

int64_t NotAfterMillis(const X509& certificate) { return Millis(X509_get0_notAfter(&certificate)); }

}  // namespace phasor::tls
