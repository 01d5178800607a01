#include "common/job/caller.h"

#include <gtest/gtest.h>

namespace phasor::job {
namespace {

TEST(CallerTest, AClientOfATenantSeesItsJobsAlone) {
  const Caller client{.tenant = "a"};
  EXPECT_TRUE(client.Sees("a"));
  EXPECT_FALSE(client.Sees("b"));
  EXPECT_FALSE(client.Sees("")) << "a job of nobody's is not its own";
  EXPECT_EQ(client.only_tenant(), "a");
}

TEST(CallerTest, AClientWithoutATenantAndAnOperatorSeeEveryJob) {
  for (const Caller& caller :
       {Caller{}, Operator(), Caller{.tenant = "a", .role = Role::kOperator}}) {
    EXPECT_TRUE(caller.Sees("a"));
    EXPECT_TRUE(caller.Sees("b"));
    EXPECT_TRUE(caller.Sees(""));
    EXPECT_EQ(caller.only_tenant(), "");
  }
}

}  // namespace
}  // namespace phasor::job
