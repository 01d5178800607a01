// gRPC's credentials from certificates that may be replaced while they are in use: connections that
// stand are left alone, those that come get the new ones within two seconds. TLS 1.2 or later.
// Clients check the name in the server's certificate. Thread-safe.
#pragma once

#include <memory>

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include "common/tls/source.h"

namespace phasor::rpc {

// `source` has a certificate; with `client_certificates` authorities, too.
std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const tls::Source& source,
                                                           bool client_certificates);

// null: the system's authorities.
std::shared_ptr<grpc::ChannelCredentials> ClientCredentials(const tls::Source* source);

}  // namespace phasor::rpc
