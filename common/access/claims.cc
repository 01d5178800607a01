#include "common/access/claims.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

#include <nlohmann/json.hpp>

namespace phasor::access {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxSubject = 100;
constexpr double kLastSecond = 1e11;  // the year 5138

Judged Refused(Trouble trouble) { return {.trouble = trouble, .identity = {}, .key_id = {}}; }

// null where there is none.
Json ClaimOf(const Json& claims, const std::string& name) {
  if (!name.starts_with('/')) return claims.contains(name) ? claims.at(name) : Json();
  const Json* at = &claims;
  std::istringstream parts(name.substr(1));
  for (std::string part; std::getline(parts, part, '/');) {
    if (!at->is_object() || !at->contains(part)) return {};
    at = &at->at(part);
  }
  return *at;
}

// A text, or a list of texts; a text of several words is as many where it is `spaced`.
std::vector<std::string> WordsOf(const Json& claim, bool spaced) {
  std::vector<std::string> words;
  if (claim.is_array()) {
    for (const Json& one : claim) {
      if (one.is_string()) words.push_back(one);
    }
  } else if (claim.is_string() && spaced) {
    std::istringstream parts(claim.get<std::string>());
    for (std::string part; parts >> part;) words.push_back(part);
  } else if (claim.is_string()) {
    words.push_back(claim);
  }
  return words;
}

// Milliseconds; nullopt where it is no time.
std::optional<int64_t> TimeOf(const Json& claim) {
  if (!claim.is_number()) return std::nullopt;
  const double seconds = claim.get<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kLastSecond) return std::nullopt;
  return static_cast<int64_t>(seconds * 1000);
}

Trouble JudgeTimes(const Json& claims, int64_t now_ms, int64_t* expires_ms) {
  const auto end = TimeOf(ClaimOf(claims, "exp"));
  if (!end) return Trouble::kMalformed;  // one that never ends can't be revoked
  *expires_ms = *end + kLeewayMs;
  if (IsOver(*expires_ms, now_ms)) return Trouble::kOver;
  for (const char* name : {"nbf", "iat"}) {
    const Json claim = ClaimOf(claims, name);
    if (claim.is_null()) continue;
    const auto begin = TimeOf(claim);
    if (!begin) return Trouble::kMalformed;
    if (*begin - kLeewayMs > now_ms) return Trouble::kOver;
  }
  return Trouble::kNone;
}

RoleSet RolesIn(const Json& claim, const std::string& prefix) {
  RoleSet roles;
  for (const std::string& word : WordsOf(claim, /*spaced=*/true)) {
    if (!word.starts_with(prefix)) continue;
    const auto role = ParseRoles({word.substr(prefix.size())});
    if (!role.ok()) continue;
    for (const Role one : kAllRoles) {
      if (role->Has(one)) roles.Add(one);
    }
  }
  return roles;
}

}  // namespace

Status Validate(const TokenRules& rules) {
  if (rules.jwks.empty() || rules.issuer.empty() || rules.audience.empty()) {
    return InvalidArgument("tokens need all of jwt_jwks, jwt_issuer and jwt_audience");
  }
  if (rules.tenant_claim.empty() || rules.roles_claim.empty()) {
    return InvalidArgument("jwt_tenant_claim and jwt_roles_claim must not be empty");
  }
  const bool local =
      rules.jwks.starts_with("http://127.0.0.1:") || rules.jwks.starts_with("http://localhost:");
  if (rules.jwks.starts_with("http://") && !local) {
    return InvalidArgument(
        "jwt_jwks: who may answer for an http:// URL may make tokens; use https");
  }
  return OkStatus();
}

Judged JudgeClaims(const TokenRules& rules, const std::string& payload, int64_t now_ms) {
  const Json claims = Json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!claims.is_object()) return Refused(Trouble::kMalformed);
  const Json issuer = ClaimOf(claims, "iss");
  const auto audiences = WordsOf(ClaimOf(claims, "aud"), /*spaced=*/false);
  const bool ours =
      issuer.is_string() && issuer.get<std::string>() == rules.issuer &&
      std::find(audiences.begin(), audiences.end(), rules.audience) != audiences.end();
  if (!ours) return Refused(Trouble::kForeign);
  Identity identity;
  const Trouble times = JudgeTimes(claims, now_ms, &identity.expires_ms);
  if (times != Trouble::kNone) return Refused(times);
  const Json tenant = ClaimOf(claims, rules.tenant_claim);
  if (tenant.is_string()) identity.tenant = tenant;
  identity.roles = RolesIn(ClaimOf(claims, rules.roles_claim), rules.role_prefix);
  if (!CheckGrant(identity.roles, identity.tenant).ok()) return Refused(Trouble::kForeign);
  const Json subject = ClaimOf(claims, "sub");
  const std::string who = subject.is_string() ? subject.get<std::string>() : "without a subject";
  identity.name = "token " + who.substr(0, kMaxSubject);
  return {.trouble = Trouble::kNone,
          .identity = std::make_shared<const Identity>(std::move(identity)),
          .key_id = {}};
}

}  // namespace phasor::access
