#include "common/access/decide.h"

#include <set>

#include <gtest/gtest.h>

namespace phasor::access {
namespace {

Identity With(RoleSet roles) { return {.name = "x", .tenant = "a", .roles = roles}; }

constexpr char kSubmit[] = "/phasor.v1.Images/Submit";
constexpr char kGet[] = "/phasor.v1.Images/Get";
constexpr char kPause[] = "/phasor.v1.Admin/Pause";
constexpr char kReport[] = "/phasor.v1.WorkerReport/Report";
constexpr char kHealth[] = "/grpc.health.v1.Health/Check";

TEST(DecideTest, NobodyMayDoNothingButAskForHealth) {
  for (const MethodRule& rule : MethodRules()) {
    const StatusCode expected =
        rule.method.starts_with("/grpc.health.") ? StatusCode::kOk : StatusCode::kUnauthenticated;
    EXPECT_EQ(Decide(nullptr, rule.method).code(), expected) << rule.method;
  }
}

TEST(DecideTest, EachRoleDoesWhatIsItsOwn) {
  const struct {
    Role role;
    std::set<std::string> may;
  } cases[] = {{Role::kDraw, {kSubmit}},
               {Role::kRead, {kGet}},
               {Role::kOperate, {kGet, kPause}},
               {Role::kWork, {kReport}}};
  for (const auto& one : cases) {
    const Identity identity = With({one.role});
    for (const char* method : {kSubmit, kGet, kPause, kReport}) {
      EXPECT_EQ(Decide(&identity, method).ok(), one.may.count(method) == 1)
          << ToString(one.role) << " " << method;
    }
    EXPECT_TRUE(Decide(&identity, kHealth).ok());
  }
}

TEST(DecideTest, AMethodWithoutALineIsRefusedToEverybody) {
  const Identity all = With({Role::kDraw, Role::kRead, Role::kOperate, Role::kWork});
  for (const char* method : {"/phasor.v1.Admin/New", "phasor.v1.Admin/Pause", "", "/",
                             "/phasor.v1.Admin/pause", "/phasor.v1.Admin/Pause/"}) {
    EXPECT_EQ(Decide(&all, method).code(), StatusCode::kPermissionDenied) << method;
    EXPECT_EQ(Decide(nullptr, method).code(), StatusCode::kUnauthenticated) << method;
  }
}

TEST(DecideTest, NoMethodHasTwoLines) {
  std::set<std::string_view> seen;
  for (const MethodRule& rule : MethodRules()) EXPECT_TRUE(seen.insert(rule.method).second);
}

}  // namespace
}  // namespace phasor::access
