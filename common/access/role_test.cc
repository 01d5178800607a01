#include "common/access/role.h"

#include <gtest/gtest.h>

namespace phasor::access {
namespace {

TEST(RoleTest, WordsAndBack) {
  for (const Role role : kAllRoles) {
    const auto parsed = ParseRoles({std::string(ToString(role))});
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, RoleSet{role});
  }
  EXPECT_EQ(ToString(RoleSet{Role::kWork, Role::kDraw}), "draw,work");
  EXPECT_EQ(*ParseRoles({"read", "draw", "read"}), (RoleSet{Role::kDraw, Role::kRead}));
}

TEST(RoleTest, ARoleThatThereIsNotIsNamed) {
  const auto parsed = ParseRoles({"draw", "admin"});
  EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(parsed.status()).find("'admin'"), std::string::npos);
}

TEST(RoleTest, ASetMeetsAnotherThatSharesARole) {
  const RoleSet set{Role::kDraw, Role::kRead};
  EXPECT_TRUE(set.Meets({Role::kRead, Role::kOperate}));
  EXPECT_FALSE(set.Meets({Role::kWork, Role::kOperate}));
  EXPECT_FALSE(RoleSet{}.Meets(set));
}

}  // namespace
}  // namespace phasor::access
