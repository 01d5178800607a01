#include "services/gateway/upkeep/key_audit.h"

namespace phasor::gateway {

AuditEntry EntryOf(const access::KeyChange& change) {
  return {.event = change.made ? "key made" : "key revoked",
          .who = change.by,
          .tenant = change.tenant,
          .from = "",
          .method = "",
          .outcome = "",
          .key = change.id,
          .name = change.name,
          .roles = change.roles,
          .at_ms = change.at_ms};
}

Status AuditKeyChanges(access::KeyStore& keys, AuditLog& audit) {
  ASSIGN_OR_RETURN(const auto changes, keys.TakeChanges());
  for (const access::KeyChange& change : changes) audit.Write(EntryOf(change));
  return OkStatus();
}

}  // namespace phasor::gateway
