// phasor::Status to grpc::Status and back, with the details (status_details.h) that gRPC carries in
// grpc-status-details-bin. The only place that knows grpc::Status. Pure functions.
#pragma once

#include <grpcpp/support/status.h>

#include "common/base/status.h"
#include "common/rpc/status_details.h"

namespace phasor::rpc {

// Messages are cut at 1 KiB; the details travel as they are.
grpc::Status ToGrpc(const Status& status);
Status FromGrpc(const grpc::Status& status);

}  // namespace phasor::rpc
