#include "common/config/command_secrets.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::config {
namespace {

using testing::HasSubstr;
using testing::Not;

Status Refuse(const std::vector<const char*>& words) {
  return RefusePasswords(static_cast<int>(words.size()), words.data());
}

TEST(CommandSecretsTest, APasswordInAUrlIsRefusedAndNotRepeated) {
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"gateway", "--redis", "redis://:s3cret@host"},
           {"gateway", "--redis=rediss://user:s3cret@host:1/2"},
           {"gateway", "--name", "x", "--redis", "redis://u:s3/cret@host"},
           {"gateway", "--redis", "redis://:s3cret@host?ttl=1h"}}) {
    const std::string message = Message(Refuse(words));
    EXPECT_THAT(message, HasSubstr("--redis-password-file"));
    EXPECT_THAT(message, HasSubstr("PHASOR_REDIS "));
    EXPECT_THAT(message, Not(HasSubstr("s3"))) << message;
  }
  EXPECT_THAT(Message(Refuse({"gateway", "--store", "redis://:s3cret@host"})),
              HasSubstr("PHASOR_STORE "));
}

TEST(CommandSecretsTest, OtherUrlsAreLetThrough) {
  EXPECT_TRUE(Refuse({"gateway", "--redis", "redis://host:6379", "--store", "unix:///a:b@c"}).ok());
  EXPECT_TRUE(Refuse({"gateway", "--redis", "redis://user@host", "--name", "a:b@c"}).ok());
  EXPECT_TRUE(Refuse({"gateway", "--store", "s3://bucket/a?endpoint=http://h:1"}).ok());
  EXPECT_TRUE(Refuse({"gateway"}).ok());
}

}  // namespace
}  // namespace phasor::config
