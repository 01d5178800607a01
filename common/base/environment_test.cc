#include "common/base/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace phasor {
namespace {

constexpr char kName[] = "PHASOR_ENVIRONMENT_TEST";

StatusOr<std::string> ReadAs(const char* value) {
  ::setenv(kName, value, 1);
  auto read = ReadVariable(kName);
  ::unsetenv(kName);
  return read;
}

TEST(EnvironmentTest, TakesSpaceOffTheEnds) {
  EXPECT_EQ(*ReadAs("s3cret\n"), "s3cret");
  EXPECT_EQ(*ReadAs("\t two words \r\n"), "two words");
  EXPECT_EQ(*ReadAs(" \n"), "");
  EXPECT_EQ(*ReadAs(""), "");
  EXPECT_EQ(*ReadVariable(kName), "");
}

TEST(EnvironmentTest, NamesTheVariableAndNotTheSecret) {
  for (const char* value : {"s3cret\nHost: other", "s3\rcret", "s3cret\x01", "\x7fs3cret"}) {
    const Status status = ReadAs(value).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(status), ::testing::HasSubstr(kName));
    EXPECT_THAT(Message(status), ::testing::Not(::testing::HasSubstr("cret")));
  }
}

}  // namespace
}  // namespace phasor
