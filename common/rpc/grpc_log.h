// gRPC's own log lines go to ours, one level lower than gRPC thinks: what matters comes back to
// us as a status. Thread-safe; the first call counts.
#pragma once

namespace phasor::rpc {

void RouteGrpcLog();

}  // namespace phasor::rpc
