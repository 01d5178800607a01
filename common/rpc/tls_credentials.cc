#include "common/rpc/tls_credentials.h"

#include <string>

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace phasor::rpc {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

// It reads key and certificate from one file, which is replaced as a whole, and so never mixes old
// and new.
std::shared_ptr<FileWatcherCertificateProvider> Watch(const tls::Source& source) {
  constexpr unsigned kEverySecond = 1;
  return std::make_shared<FileWatcherCertificateProvider>(
      source.identity_path(), source.identity_path(), source.authorities_path(), kEverySecond);
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const tls::Source& source,
                                                           bool client_certificates) {
  grpc::experimental::TlsServerCredentialsOptions options(Watch(source));
  options.watch_identity_key_cert_pairs();
  if (client_certificates) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ClientCredentials(const tls::Source* source) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (source != nullptr) {
    options.set_certificate_provider(Watch(*source));
    if (!source->authorities_path().empty()) options.watch_root_certs();
    if (!source->identity_path().empty()) options.watch_identity_key_cert_pairs();
  }
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace phasor::rpc
