// Whether a call may be made: the whole decision, without transport, time or stores. Pure.
#pragma once

#include <string_view>

#include "common/access/identity.h"
#include "common/access/methods.h"
#include "common/base/status.h"

namespace phasor::access {

// What everybody hears whose credential is no good, whatever is wrong with it: that it is missing,
// malformed, unknown, wrong, over or revoked is for the audit log.
inline constexpr char kNoCredential[] = "this call needs a valid credential";

enum class Refusal {
  kNone,
  kUnknownMethod,  // PERMISSION_DENIED: the table does not name it
  kNoIdentity,     // UNAUTHENTICATED
  kRole,           // PERMISSION_DENIED
};

// `identity` nullptr: no good credential came with the call.
Refusal Judge(const Identity* identity, std::string_view method);
Status ToStatus(Refusal refusal);
inline Status Decide(const Identity* identity, std::string_view method) {
  return ToStatus(Judge(identity, method));
}

}  // namespace phasor::access
