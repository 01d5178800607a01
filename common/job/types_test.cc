#include "common/job/types.h"

#include <gtest/gtest.h>

namespace phasor::job {
namespace {

TEST(JobTypesTest, EveryNameParsesBack) {
  for (const Priority p : kPriorities) EXPECT_EQ(ParsePriority(ToString(p)), p);
  for (int i = 0; i <= static_cast<int>(State::kExpired); ++i) {
    const State state = static_cast<State>(i);
    EXPECT_EQ(ParseState(ToString(state)), state);
    EXPECT_EQ(IsTerminal(state), state >= State::kDone);
  }
  EXPECT_FALSE(ParsePriority("urgent").has_value());
}

TEST(JobIdTest, TheSameKeyOfTheSameTenantNamesTheSameJob) {
  const JobId id = MakeJobId("secret", "tenant", "key");
  EXPECT_EQ(id, MakeJobId("secret", "tenant", "key"));
  EXPECT_NE(id, MakeJobId("secret", "tenant", "key2"));
  EXPECT_NE(id, MakeJobId("other", "tenant", "key"));
  // The separator keeps ("ab", "c") and ("a", "bc") apart.
  EXPECT_NE(MakeJobId("s", "ab", "c"), MakeJobId("s", "a", "bc"));
  EXPECT_TRUE(IsValidJobId(id));
  EXPECT_TRUE(IsValidJobId(id + "#2"));
}

TEST(JobIdTest, AnIdTellsWhoseItIsNot) {
  const JobId id = MakeJobId("s", "a", "k");
  EXPECT_TRUE(MayBeOf(id, "a"));
  EXPECT_TRUE(MayBeOf(id + "#2", "a"));
  EXPECT_TRUE(MayBeOf(id, "")) << "to whom all jobs are";
  EXPECT_FALSE(MayBeOf(id, "b"));
  EXPECT_FALSE(MayBeOf(MakeJobId("s", "", "k"), "a"));
  EXPECT_FALSE(MayBeOf("", "a"));
  EXPECT_NE(MakeJobId("s", "a", "k").substr(0, 26), MakeJobId("s", "a", "k2").substr(0, 26));
}

TEST(JobIdTest, ForeignTextIsNoId) {
  const JobId id = MakeJobId("s", "t", "k");
  for (const std::string& text : {std::string(), std::string("abc"), id + "#", id + "#x", id + "x",
                                  id + "#1234567", std::string(32, '1'), std::string(32, 'A')}) {
    EXPECT_FALSE(IsValidJobId(text)) << text;
  }
}

TEST(KeyNameTest, PlainNamesStayAndOthersAreHashed) {
  EXPECT_EQ(KeyName("phasor-demo"), "phasor-demo");
  for (const char* name : {"", "Model", "a:b", "-a", "{x}", "a-very-long-name-of-a-model-indeed"}) {
    EXPECT_EQ(KeyName(name).substr(0, 2), "h.") << name;
    EXPECT_EQ(KeyName(name).size(), 18u) << name;
  }
}

}  // namespace
}  // namespace phasor::job
