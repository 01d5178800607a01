// rpc_seconds{method,code}: how long each call to a server took, streams to their end. Methods that
// the program does not know are "other". A server interceptor; thread-safe.
#pragma once

#include <memory>

#include <grpcpp/support/server_interceptor.h>

#include "common/metrics/registry.h"

namespace phasor::rpc {

// `registry` outlives the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallMetrics(
    metrics::Registry* registry);

}  // namespace phasor::rpc
