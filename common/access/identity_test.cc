#include "common/access/identity.h"

#include <gtest/gtest.h>

namespace phasor::access {
namespace {

TEST(IdentityTest, TenantsHaveNamesThatFitEverywhere) {
  for (const char* good : {"a", "team-7", "acme/web", "alice@example.org", "x:y_z.1"}) {
    EXPECT_TRUE(IsValidTenant(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\nb"),
                                 std::string("\xc3\xa9"), std::string(65, 'a')}) {
    EXPECT_FALSE(IsValidTenant(bad)) << bad;
  }
}

// A client without a tenant would see everybody's jobs.
TEST(IdentityTest, WhoDrawsOrReadsDoesSoForATenant) {
  EXPECT_FALSE(CheckGrant({Role::kDraw}, "").ok());
  EXPECT_FALSE(CheckGrant({Role::kRead, Role::kOperate}, "").ok());
  EXPECT_FALSE(CheckGrant({}, "a").ok());
  EXPECT_TRUE(CheckGrant({Role::kDraw}, "a").ok());
  EXPECT_TRUE(CheckGrant({Role::kOperate}, "").ok());
  EXPECT_TRUE(CheckGrant({Role::kWork}, "").ok());
}

TEST(IdentityTest, OperatorsSeeEveryJobAndClientsTheirTenants) {
  const Identity client{.name = "k", .tenant = "a", .roles = {Role::kDraw, Role::kRead}};
  EXPECT_TRUE(CallerOf(client).Sees("a"));
  EXPECT_FALSE(CallerOf(client).Sees("b"));
  const Identity operates{.name = "k", .tenant = "a", .roles = {Role::kDraw, Role::kOperate}};
  EXPECT_TRUE(CallerOf(operates).Sees("b"));
  EXPECT_EQ(CallerOf(operates).tenant, "a") << "what it submits is its tenant's";
}

}  // namespace
}  // namespace phasor::access
