// gRPC's and protobuf's own log lines go to ours, at a lower level than they think: what matters
// comes back to us as a status, and clients must not fill the log. Thread-safe; the first call
// counts.
#pragma once

namespace phasor::rpc {

void RouteGrpcLog();

}  // namespace phasor::rpc
