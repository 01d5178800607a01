// The client's side of one TLS connection with OpenSSL: which name it expects, and in words what
// became of a handshake that failed. One thread.
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "common/tls/openssl_handle.h"

namespace phasor::tls {

// One connection's TLS, before or after its handshake.
class Conversation {
 public:
  // On the connected socket `fd`, which stays the caller's. `peer` names the other side in
  // sentences, `expected` must be among its certificate's names.
  Conversation(SSL_CTX* context, int fd, std::string peer, std::string expected);
  // OpenSSL keeps its address.
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  SSL* ssl() const { return ssl_.get(); }

  // After a step that failed: what is wrong, FAILED_PRECONDITION. OK: nothing that certificates or
  // versions of TLS would be to blame for.
  Status Explain() const;

 private:
  static int OnCheck(int good, X509_STORE_CTX* checked);
  static int OnAsked(SSL* ssl, void* self);
  Status ExplainCertificate() const;

  const std::string peer_;
  const std::string expected_;
  ConnectionHandle ssl_;
  // What the check of the peer's certificate found, and at which one of its chain.
  int verdict_ = X509_V_OK;
  CertificateHandle at_fault_;
  bool asked_ = false;  // the peer wants a certificate
};

// Whether `name` is an IP address.
bool IsAddress(const std::string& name);

// The host in "host:port" and "[::1]:port".
std::string HostOf(const std::string& address);

}  // namespace phasor::tls
