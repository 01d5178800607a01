// Who calls, as a credential that was found to be good says. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/access/role.h"
#include "common/job/caller.h"

namespace phasor::access {

struct Identity {
  std::string name;    // for the audit: "key mjs7...", "token alice"; never the credential
  std::string tenant;  // empty only for those that neither draw nor read
  RoleSet roles;
  int64_t expires_ms = 0;  // wall clock, 0: never
  bool operator==(const Identity&) const = default;
};

// 1 to 64 of letters, digits, '.', '-', '_', ':', '@' and '/'.
bool IsValidTenant(std::string_view tenant);

// OK for roles and a tenant that go together: who draws or reads does so for a tenant, for to a
// client without one every job is its own (job::Caller).
Status CheckGrant(RoleSet roles, std::string_view tenant);

// Whose jobs it acts for.
job::Caller CallerOf(const Identity& identity);

}  // namespace phasor::access
