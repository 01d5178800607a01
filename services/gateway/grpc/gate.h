// Who comes in: a server interceptor that judges each call of every service, the library's own
// included, before its handler hears of it. It tells handlers on whose behalf a call comes
// (caller_of.h), and it ends streams whose credential stops being good while they are open.
//
// gRPC lets an interceptor neither answer nor drop a call. A refused one is ended with its status
// in gRPC's core, which the client gets at once; to its handler it is a call whose client has gone,
// and the request that the handler gets is no message, so that nothing is done.
//
// Thread-safe; outlives the server.
#pragma once

#include <memory>
#include <set>
#include <string>

#include <grpcpp/support/server_interceptor.h>

#include "common/access/authenticator.h"
#include "common/access/decide.h"
#include "common/base/mutex.h"
#include "common/metrics/registry.h"
#include "services/gateway/audit_log.h"

namespace phasor::gateway {

class Gate {
 public:
  struct Parts {  // all outlive the gate
    const access::Authenticator* authenticator = nullptr;
    metrics::Registry* metrics = nullptr;
    AuditLog* audit = nullptr;  // of refusals, and of what operators do; null: none is kept
  };
  explicit Gate(const Parts& parts);

  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeInterceptor();

  // Ends open streams whose credential was revoked or is over. What to do every second.
  void Tick();

 private:
  class Call;
  class Calls;

  void Open(Call* call);
  void Close(Call* call);
  void NoteRefusal(const AuditEntry& entry);
  void Audit(const AuditEntry& entry);

  const Parts parts_;
  metrics::Family<metrics::Counter> refusals_;

  Mutex mu_;
  std::set<Call*> streams_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
