// Keys are made and revoked beside the gateways, in the store of keys (`phasor keys`). Of each
// change one of the gateways that share the store writes a line into its audit log. Thread-safe.
#pragma once

#include "common/access/key_store.h"
#include "services/gateway/audit_log.h"

namespace phasor::gateway {

AuditEntry EntryOf(const access::KeyChange& change);

// What to do every second. An error says that the store can't be asked.
Status AuditKeyChanges(access::KeyStore& keys, AuditLog& audit);

}  // namespace phasor::gateway
