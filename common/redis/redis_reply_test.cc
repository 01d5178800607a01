#include "common/redis/redis_reply.h"

#include <gtest/gtest.h>

namespace phasor::redis {
namespace {

TEST(RedisReplyTest, WhatPassesIsUnavailableAndFullMemoryIsExhausted) {
  const std::vector<std::pair<std::string, StatusCode>> cases = {
      {"LOADING Redis is loading the dataset in memory", StatusCode::kUnavailable},
      {"READONLY You can't write against a read only replica.", StatusCode::kUnavailable},
      {"MISCONF Errors writing to the AOF file: No space left", StatusCode::kUnavailable},
      {"MOVED 3999 127.0.0.1:6381", StatusCode::kUnavailable},
      {"TRYAGAIN Multiple keys request during rehashing", StatusCode::kUnavailable},
      {"NOAUTH Authentication required.", StatusCode::kUnavailable},
      {"NOPERM this user has no permissions to run the 'publish' command",
       StatusCode::kUnavailable},
      {"ERR The user executing the script can't publish to the channel mentioned in the command",
       StatusCode::kUnavailable},
      {"ERR ACL failure in script: No permissions to access a key script: 7b232d, on "
       "@user_script:1.",
       StatusCode::kUnavailable},
      {"BUSY Redis is busy running a script", StatusCode::kUnavailable},
      {"ERR max number of clients reached", StatusCode::kUnavailable},
      {"OOM command not allowed when used memory > 'maxmemory'.", StatusCode::kResourceExhausted},
      {"ERR user_script:3: attempt to index a nil value", StatusCode::kInternal},
  };
  for (const auto& [message, code] : cases) {
    EXPECT_EQ(StatusOfError(message).code(), code) << message;
  }
}

TEST(RedisReplyTest, AFieldBeyondTheEndIsNil) {
  RedisReply reply;
  EXPECT_TRUE(reply[3].is_nil());
  EXPECT_EQ(reply[3].AsInteger(), 0);
}

}  // namespace
}  // namespace phasor::redis
