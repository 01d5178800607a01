#include "common/tls/context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace phasor::tls {
namespace {

void Trust(SSL_CTX* context, const std::string& authorities) {
  const BioHandle bio = ReadingFrom(authorities);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    const CertificateHandle owner(next);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next);
  }
  ERR_clear_error();
}

void Present(SSL_CTX* context, const Material& material) {
  if (material.chain.empty()) return;
  const BioHandle key_text = ReadingFrom(material.key);
  const KeyHandle key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const BioHandle chain = ReadingFrom(material.chain);
  const CertificateHandle own(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context, own.get());
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(context, next);  // takes it
  }
  ERR_clear_error();
  SSL_CTX_use_PrivateKey(context, key.get());
}

StatusOr<ContextHandle> MakeContext(const SSL_METHOD* side, const Material& material) {
  ContextHandle context(SSL_CTX_new(side));
  if (context == nullptr) return Internal("no memory for a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  Present(context.get(), material);
  return context;
}

}  // namespace

StatusOr<ContextHandle> MakeClientContext(const Material& material) {
  ASSIGN_OR_RETURN(ContextHandle context, MakeContext(TLS_client_method(), material));
  if (material.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    Trust(context.get(), material.authorities);
  }
  return context;
}

StatusOr<ContextHandle> MakeServerContext(const Material& material) {
  ASSIGN_OR_RETURN(ContextHandle context, MakeContext(TLS_server_method(), material));
  // Every connection is checked anew: one that goes on with what another one proved would outlive
  // the authorities that vouched for it.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context.get(), 0);
  if (!material.authorities.empty()) {
    Trust(context.get(), material.authorities);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

}  // namespace phasor::tls
