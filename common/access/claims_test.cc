#include "common/access/claims.h"

#include <functional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace phasor::access {
namespace {

using Json = nlohmann::json;

constexpr int64_t kNow = 1'700'000'000'000;

TokenRules Rules() {
  return {.jwks = "/keys.json", .issuer = "https://login.example.org", .audience = "phasor"};
}

Json Good() {
  return {{"iss", "https://login.example.org"},
          {"aud", "phasor"},
          {"sub", "alice"},
          {"tenant", "acme"},
          {"roles", {"draw", "read", "somebody-elses"}},
          {"exp", kNow / 1000 + 300}};
}

Trouble After(const std::function<void(Json&)>& change, const TokenRules& rules = Rules()) {
  Json claims = Good();
  change(claims);
  return JudgeClaims(rules, claims.dump(), kNow).trouble;
}

TEST(ClaimsTest, AGoodTokenIsItsTenantWithOurRoles) {
  const Judged judged = JudgeClaims(Rules(), Good().dump(), kNow);
  ASSERT_EQ(judged.trouble, Trouble::kNone);
  EXPECT_EQ(*judged.identity, (Identity{.name = "token alice",
                                        .tenant = "acme",
                                        .roles = {Role::kDraw, Role::kRead},
                                        .expires_ms = kNow + 300'000 + kLeewayMs}));
}

TEST(ClaimsTest, ClocksMayDifferByAMinuteAndNoMore) {
  EXPECT_EQ(After([](Json& c) { c["exp"] = kNow / 1000 - 59; }), Trouble::kNone);
  EXPECT_EQ(After([](Json& c) { c["exp"] = kNow / 1000 - 60; }), Trouble::kOver);
  for (const char* name : {"nbf", "iat"}) {
    EXPECT_EQ(After([&](Json& c) { c[name] = kNow / 1000 + 60; }), Trouble::kNone);
    EXPECT_EQ(After([&](Json& c) { c[name] = kNow / 1000 + 61; }), Trouble::kOver);
  }
}

TEST(ClaimsTest, ATokenForSomebodyElseIsForeign) {
  EXPECT_EQ(After([](Json& c) { c["iss"] = "https://evil.example.org"; }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c.erase("iss"); }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c["aud"] = "another"; }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c["aud"] = "phasor another"; }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c.erase("aud"); }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c["aud"] = {"another", "phasor"}; }), Trouble::kNone);
}

TEST(ClaimsTest, RolesAndTenantMustGoTogether) {
  EXPECT_EQ(After([](Json& c) { c.erase("tenant"); }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c["tenant"] = "a b"; }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c["tenant"] = 7; }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c["roles"] = {"admin"}; }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) { c.erase("roles"); }), Trouble::kForeign);
  EXPECT_EQ(After([](Json& c) {
              c.erase("tenant");
              c["roles"] = {"operate"};
            }),
            Trouble::kNone);
}

TEST(ClaimsTest, WhatDoesNotEndOrIsNoObjectIsMalformed) {
  EXPECT_EQ(After([](Json& c) { c.erase("exp"); }), Trouble::kMalformed);
  EXPECT_EQ(After([](Json& c) { c["exp"] = "soon"; }), Trouble::kMalformed);
  EXPECT_EQ(After([](Json& c) { c["exp"] = 1e300; }), Trouble::kMalformed);
  EXPECT_EQ(After([](Json& c) { c["nbf"] = -1; }), Trouble::kMalformed);
  for (const char* text : {"", "[]", "null", "{", "\"x\""}) {
    EXPECT_EQ(JudgeClaims(Rules(), text, kNow).trouble, Trouble::kMalformed) << text;
  }
}

TEST(ClaimsTest, ClaimsMayBeElsewhereAndRolesHaveAPrefix) {
  TokenRules rules = Rules();
  rules.tenant_claim = "https://example.org/tenant";
  rules.roles_claim = "/realm_access/roles";
  rules.role_prefix = "phasor:";
  const auto change = [](Json& c) {
    c.erase("tenant");
    c["https://example.org/tenant"] = "acme";
    c["roles"] = {"operate"};
    c["realm_access"]["roles"] = {"draw", "phasor:read"};
  };
  Json claims = Good();
  change(claims);
  EXPECT_EQ(JudgeClaims(rules, claims.dump(), kNow).identity->roles, RoleSet{Role::kRead});
  rules.roles_claim = "scope";
  claims["scope"] = "openid phasor:draw phasor:read";
  EXPECT_EQ(JudgeClaims(rules, claims.dump(), kNow).identity->roles,
            (RoleSet{Role::kDraw, Role::kRead}));
}

TEST(ClaimsTest, RulesMustBeWholeAndKeysMustNotComeInClear) {
  EXPECT_TRUE(Validate(Rules()).ok());
  for (auto TokenRules::*field : {&TokenRules::jwks, &TokenRules::issuer, &TokenRules::audience,
                                  &TokenRules::tenant_claim, &TokenRules::roles_claim}) {
    TokenRules rules = Rules();
    (rules.*field).clear();
    EXPECT_FALSE(Validate(rules).ok());
  }
  TokenRules rules = Rules();
  rules.jwks = "http://keys.example.org/";
  EXPECT_FALSE(Validate(rules).ok());
  rules.jwks = "http://127.0.0.1:8080/keys";
  EXPECT_TRUE(Validate(rules).ok());
}

}  // namespace
}  // namespace phasor::access
