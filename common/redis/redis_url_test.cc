#include "common/redis/redis_url.h"

#include <gtest/gtest.h>

namespace phasor::redis {
namespace {

TEST(RedisUrlTest, ReadsUnixSockets) {
  const RedisAddress address = ParseRedisUrl("unix:///run/redis.sock?db=2").value();
  EXPECT_EQ(address.socket, "/run/redis.sock");
  EXPECT_EQ(address.database, 2);
  EXPECT_EQ(ToString(address), "unix:///run/redis.sock");
  EXPECT_EQ(ParseRedisUrl("unix:///run/what%3F/50%25.sock?db=1")->socket, "/run/what?/50%.sock");
}

TEST(RedisUrlTest, ReadsHostsPortsPasswordsAndDatabases) {
  const RedisAddress plain = ParseRedisUrl("redis://redis").value();
  EXPECT_EQ(plain.host, "redis");
  EXPECT_EQ(plain.port, 6379);

  const RedisAddress full = ParseRedisUrl("redis://phasor:p%40ss:w%2F@10.0.0.1:7000/3").value();
  EXPECT_EQ(full.user, "phasor");
  EXPECT_EQ(full.password, "p@ss:w/");
  EXPECT_EQ(full.host, "10.0.0.1");
  EXPECT_EQ(full.port, 7000);
  EXPECT_EQ(full.database, 3);
  EXPECT_EQ(ToString(full), "10.0.0.1:7000");

  const RedisAddress six = ParseRedisUrl("redis://:secret@[::1]:7001").value();
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 7001);
  EXPECT_EQ(six.password, "secret");
}

TEST(RedisUrlTest, ReadsSentinels) {
  const RedisAddress address =
      ParseRedisUrl("redis-sentinel://u:p%40@one,two:26380,[::1]/2?master=my%20master").value();
  ASSERT_EQ(address.sentinels.size(), 3u);
  EXPECT_EQ(address.sentinels[0].host, "one");
  EXPECT_EQ(address.sentinels[0].port, 26379);
  EXPECT_EQ(address.sentinels[1].host, "two");
  EXPECT_EQ(address.sentinels[1].port, 26380);
  EXPECT_EQ(address.sentinels[2].host, "::1");
  EXPECT_EQ(address.master, "my master");
  EXPECT_EQ(address.user, "u");
  EXPECT_EQ(address.password, "p@");
  EXPECT_EQ(address.database, 2);
  EXPECT_FALSE(address.tls);
  EXPECT_TRUE(ParseRedisUrl("rediss-sentinel://one?master=m")->tls);
  EXPECT_EQ(ToString(*ParseRedisUrl("redis-sentinel://:secret@one,two:1?master=m")),
            "master m of one:26379 two:1");
}

TEST(RedisUrlTest, RefusesWhatItDoesNotUnderstandWithoutShowingThePassword) {
  for (const std::string url :
       {"", "localhost:6379", "http://x", "unix://relative", "unix:///s?x=1", "redis://",
        "redis://h:99999", "redis://h:port", "redis://h/x", "redis://secret@h",
        "redis://:secret%zz@h", "unix:///run/50%", "redis-sentinel://:secret@h",
        "redis-sentinel://:secret@h?master=", "redis-sentinel://?master=m",
        "redis-sentinel://h,,i?master=m", "redis-sentinel://h:x?master=m",
        "redis-sentinel://h?name=m"}) {
    const StatusOr<RedisAddress> address = ParseRedisUrl(url);
    EXPECT_EQ(address.status().code(), StatusCode::kInvalidArgument) << url;
    EXPECT_EQ(Message(address.status()).find("secret"), std::string::npos) << url;
  }
  EXPECT_FALSE(ParseRedisUrl("unix:///" + std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace phasor::redis
