#include "common/tls/client_side.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/tls/certificate_time.h"
#include "common/tls/material.h"

namespace phasor::tls {
namespace {

// The names that a certificate is for: "localhost, 127.0.0.1".
std::string NamesOf(X509* certificate) {
  std::string text;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    char address[INET6_ADDRSTRLEN] = {};
    std::string each;
    if (name->type == GEN_DNS) {
      each.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
      inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof(address));
      each = address;
    }
    text += (text.empty() || each.empty() ? "" : ", ") + each;
  }
  GENERAL_NAMES_free(names);
  return text.empty() ? "no name" : text;
}

std::string IssuerOf(X509* certificate) {
  char text[256] = {};
  X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, text, sizeof(text));
  return text;
}

void Expect(SSL* ssl, const std::string& name) {
  if (IsAddress(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    return;
  }
  SSL_set1_host(ssl, name.c_str());
  SSL_set_tlsext_host_name(ssl, name.c_str());
}

// What an error of the library means; OK: nothing that people could act upon.
Status ExplainError(const std::string& who, bool has_certificate) {
  const unsigned long error = ERR_peek_error();
  switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return FailedPrecondition(who + " speaks no TLS");
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return FailedPrecondition(who + " speaks no version of TLS from 1.2 on");
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return FailedPrecondition(who + " wants a certificate of the client");
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return FailedPrecondition(who + " does not know the issuer of the client's certificate");
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return FailedPrecondition(who + " says that the client's certificate has expired");
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return FailedPrecondition(who + (has_certificate ? " refuses the client's certificate"
                                                       : " wants a certificate of the client"));
    default:
      return OkStatus();
  }
}

}  // namespace

Conversation::Conversation(SSL_CTX* context, int fd, std::string peer, std::string expected)
    : peer_(std::move(peer)), expected_(std::move(expected)), ssl_(SSL_new(context)) {
  SSL_set_fd(ssl_.get(), fd);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, OnCheck);
  SSL_set_cert_cb(ssl_.get(), OnAsked, this);
  Expect(ssl_.get(), expected_);
  ERR_clear_error();
}

int Conversation::OnCheck(int good, X509_STORE_CTX* checked) {
  if (good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checked, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* self = static_cast<Conversation*>(SSL_get_app_data(ssl));
  self->verdict_ = X509_STORE_CTX_get_error(checked);
  X509* certificate = X509_STORE_CTX_get_current_cert(checked);
  if (certificate != nullptr) X509_up_ref(certificate);
  self->at_fault_.reset(certificate);
  return 0;
}

int Conversation::OnAsked(SSL*, void* self) {
  static_cast<Conversation*>(self)->asked_ = true;
  return 1;
}

Status Conversation::Explain() const {
  if (verdict_ != X509_V_OK) return ExplainCertificate();
  const bool has_certificate = SSL_get_certificate(ssl_.get()) != nullptr;
  const Status explained = ExplainError(peer_, has_certificate);
  if (!explained.ok() || !asked_) return explained;
  // gRPC servers hang up without the alert that would say why.
  return FailedPrecondition(peer_ + (has_certificate
                                         ? " refuses the client's certificate: it has expired, or "
                                           "its issuer is not known there"
                                         : " wants a certificate of the client"));
}

Status Conversation::ExplainCertificate() const {
  const std::string subject = "the certificate of " + peer_;
  const std::string verdict = X509_verify_cert_error_string(verdict_);
  if (at_fault_ == nullptr) return FailedPrecondition(subject + " is refused: " + verdict);
  switch (verdict_) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return FailedPrecondition(subject + " expired on " + TimeText(NotAfterMillis(*at_fault_)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return FailedPrecondition(subject + " is not valid before " +
                                TimeText(NotBeforeMillis(*at_fault_)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return FailedPrecondition(subject + " is for " + NamesOf(at_fault_.get()) + ", not for " +
                                expected_);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return FailedPrecondition(subject + " was issued by '" + IssuerOf(at_fault_.get()) +
                                "', whom the authorities given here do not include");
    default:
      return FailedPrecondition(subject + " is refused: " + verdict);
  }
}

bool IsAddress(const std::string& name) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace phasor::tls
