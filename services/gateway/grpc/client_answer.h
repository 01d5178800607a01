// What a client is told (flow/client_status.h) as gRPC says it. Thread-safe.
#pragma once

#include <grpcpp/support/status.h>

#include "common/base/status.h"

namespace phasor::gateway {

// ForClient's answer. Logs what was replaced, once a second at most.
grpc::Status AnswerOf(const Status& status);

}  // namespace phasor::gateway
