// From a token whose signature is good to who calls: what it must say, and where it says for whom.
// Plain values; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/access/authenticator.h"

namespace phasor::access {

struct TokenRules {
  // Where the issuer's public keys are: a file, or an https:// URL.
  std::string jwks = {};
  std::string issuer = {};    // the token's `iss`
  std::string audience = {};  // one of its `aud`
  // The claims' names; one that begins with '/' is a JSON pointer ("/realm_access/roles").
  std::string tenant_claim = "tenant";
  std::string roles_claim = "roles";
  // What stands before our roles' words there; words without it are others' business.
  std::string role_prefix = "";
  bool operator==(const TokenRules&) const = default;
};

// OK, or what is missing or makes no sense.
Status Validate(const TokenRules& rules);

// How far clocks may be apart.
inline constexpr int64_t kLeewayMs = 60'000;

// `payload` is the JSON that was signed. kOver: it is not yet, or no longer, good; kForeign: it is
// for somebody else, or names no tenant and role that go together; kMalformed.
Judged JudgeClaims(const TokenRules& rules, const std::string& payload, int64_t now_ms);

}  // namespace phasor::access
