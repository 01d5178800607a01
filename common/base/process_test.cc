#include "common/base/process.h"

#include <gtest/gtest.h>

#include <ctime>

namespace phasor {
namespace {

TEST(ProcessTest, TheHostHasAName) { EXPECT_FALSE(HostName().empty()); }

TEST(ProcessTest, ABlockedTerminationIsWaitedFor) {
  const sigset_t set = BlockTerminationSignals();
  ASSERT_EQ(std::raise(SIGTERM), 0);
  const timespec at_once = {};
  EXPECT_EQ(sigtimedwait(&set, nullptr, &at_once), SIGTERM);
  EXPECT_EQ(sigtimedwait(&set, nullptr, &at_once), -1);
}

}  // namespace
}  // namespace phasor
