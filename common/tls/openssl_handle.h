// OpenSSL's objects as owned pointers. For the sources of this folder and common/redis.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace phasor::tls {

template <auto Free>
struct Freeing {
  template <typename Object>
  void operator()(Object* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using CertificateHandle = std::unique_ptr<X509, Freeing<X509_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using ContextHandle = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using ConnectionHandle = std::unique_ptr<SSL, Freeing<SSL_free>>;

inline BioHandle ReadingFrom(const std::string& text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace phasor::tls
