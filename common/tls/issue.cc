#include "common/tls/issue.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/tls/openssl_handle.h"

namespace phasor::tls {
namespace {

struct Signer {
  X509* certificate;
  EVP_PKEY* key;
};

Status Failed(const std::string& what) {
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
  return Internal("can't " + what + ": " + reason);
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

// "DNS:a,IP:127.0.0.1".
std::string AlternativeNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    unsigned char address[sizeof(in6_addr)];
    const bool is_address = inet_pton(AF_INET, name.c_str(), address) == 1 ||
                            inet_pton(AF_INET6, name.c_str(), address) == 1;
    text += text.empty() ? "" : ",";
    text += (is_address ? "IP:" : "DNS:") + name;
  }
  return text;
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool SetSerial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) return false;
  bytes[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, Freeing<BN_free>> number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

CertificateHandle Blank(EVP_PKEY* key, const std::string& name, const Validity& validity) {
  CertificateHandle made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  X509_set_pubkey(made.get(), key);
  ASN1_TIME_set(X509_getm_notBefore(made.get()), validity.from_ms / 1000);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), validity.to_ms / 1000);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, text, -1, -1,
                             0);
  return made;
}

StatusOr<Issued> Sign(X509* certificate, EVP_PKEY* key, const Signer& signer) {
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate));
  if (!SetSerial(certificate) || X509_sign(certificate, signer.key, EVP_sha256()) == 0) {
    return Failed("sign a certificate");
  }
  const BioHandle certificate_text(BIO_new(BIO_s_mem()));
  const BioHandle key_text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Failed("write a certificate");
  }
  return Issued{TextOf(certificate_text.get()), TextOf(key_text.get())};
}

}  // namespace

StatusOr<Issued> MakeAuthority(const std::string& name, const Validity& validity) {
  const KeyHandle key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed("make a key");
  const CertificateHandle made = Blank(key.get(), name, validity);
  if (!AddExtension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE") ||
      !AddExtension(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !AddExtension(made.get(), made.get(), NID_subject_key_identifier, "hash")) {
    return Failed("make an authority");
  }
  return Sign(made.get(), key.get(), {made.get(), key.get()});
}

StatusOr<Issued> IssueCertificate(const Issued& authority, const std::vector<std::string>& names,
                                  const Validity& validity) {
  const BioHandle certificate_text = ReadingFrom(authority.certificate);
  const BioHandle key_text = ReadingFrom(authority.key);
  const CertificateHandle issuer(
      PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
  const KeyHandle issuer_key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const KeyHandle key(EVP_EC_gen("P-256"));
  if (issuer == nullptr || issuer_key == nullptr || key == nullptr) {
    return Failed("issue a certificate");
  }
  const CertificateHandle made = Blank(key.get(), names.front(), validity);
  if (!AddExtension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(made.get(), issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !AddExtension(made.get(), issuer.get(), NID_authority_key_identifier, "keyid") ||
      !AddExtension(made.get(), issuer.get(), NID_subject_alt_name, AlternativeNames(names))) {
    return Failed("issue a certificate");
  }
  return Sign(made.get(), key.get(), {issuer.get(), issuer_key.get()});
}

}  // namespace phasor::tls
