#include "common/tls/material.h"

#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/file.h"
#include "common/base/utc_text.h"
#include "common/tls/certificate_time.h"
#include "common/tls/openssl_handle.h"

namespace phasor::tls {
namespace {

constexpr size_t kMaxFile = 1 << 20;  // the bundles of public authorities have 250 kB

using Chain = std::vector<CertificateHandle>;

// A key with a passphrase would otherwise ask for it on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

StatusOr<std::string> Read(const std::string& what, const std::string& path) {
  auto text = ReadFile(path, kMaxFile);
  if (text.ok()) return text;
  return FailedPrecondition(what + ": " + Message(text.status()));
}

Chain ParseChain(const std::string& text) {
  Chain chain;
  const BioHandle bio = ReadingFrom(text);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    chain.emplace_back(next);
  }
  ERR_clear_error();  // the end of the file is one
  return chain;
}

Status CheckTimes(const Chain& chain, const std::string& path, int64_t now, int64_t* expires) {
  *expires = NotAfterMillis(*chain.front());
  for (const CertificateHandle& certificate : chain) {
    const int64_t from = NotBeforeMillis(*certificate);
    const int64_t to = NotAfterMillis(*certificate);
    if (now < from) {
      return FailedPrecondition("the certificate in " + path + " is not valid before " +
                                TimeText(from) + "; it is " + TimeText(now));
    }
    if (now >= to) {
      return FailedPrecondition("the certificate in " + path + " expired on " + TimeText(to));
    }
    *expires = std::min(*expires, to);
  }
  return OkStatus();
}

Status CheckOrder(const Chain& chain, const std::string& path) {
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    if (X509_check_issued(chain[i + 1].get(), chain[i].get()) != X509_V_OK) {
      return FailedPrecondition("certificate " + std::to_string(i + 1) + " in " + path +
                                " was not issued by the one after it");
    }
  }
  return OkStatus();
}

Status ReadOwn(const Files& files, int64_t now, Material* material) {
  ASSIGN_OR_RETURN(material->chain, Read("the certificate", files.certificate));
  ASSIGN_OR_RETURN(material->key, Read("the key", files.key));
  const Chain chain = ParseChain(material->chain);
  if (chain.empty()) {
    return FailedPrecondition(files.certificate + " holds no certificate in PEM form");
  }
  const BioHandle bio = ReadingFrom(material->key);
  const KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return FailedPrecondition(files.key + " holds no private key in PEM form without a passphrase");
  }
  RETURN_IF_ERROR(CheckTimes(chain, files.certificate, now, &material->expires_ms));
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return FailedPrecondition("the key in " + files.key + " does not fit the certificate in " +
                              files.certificate);
  }
  return CheckOrder(chain, files.certificate);
}

// Bundles may hold some that have expired; one that holds nothing else vouches for nobody.
Status ReadAuthorities(const Files& files, int64_t now, Material* material) {
  ASSIGN_OR_RETURN(material->authorities, Read("the authorities", files.authorities));
  const Chain authorities = ParseChain(material->authorities);
  if (authorities.empty()) {
    return FailedPrecondition(files.authorities + " holds no certificate in PEM form");
  }
  int64_t last = 0;
  for (const CertificateHandle& authority : authorities) {
    last = std::max(last, NotAfterMillis(*authority));
  }
  if (now < last) return OkStatus();
  return FailedPrecondition("the authorities in " + files.authorities + " expired on " +
                            TimeText(last));
}

}  // namespace

StatusOr<Material> ReadMaterial(const Files& files, int64_t wall_millis) {
  if (files.certificate.empty() != files.key.empty()) {
    return InvalidArgument(files.key.empty()
                               ? "the certificate " + files.certificate + " needs its key as well"
                               : "the key " + files.key + " needs its certificate as well");
  }
  Material material;
  if (!files.certificate.empty()) RETURN_IF_ERROR(ReadOwn(files, wall_millis, &material));
  if (!files.authorities.empty()) RETURN_IF_ERROR(ReadAuthorities(files, wall_millis, &material));
  return material;
}

std::string TimeText(int64_t wall_millis) { return UtcText(wall_millis, "%Y-%m-%d %H:%M:%S UTC"); }

}  // namespace phasor::tls
