#include "common/redis/name_lookup.h"

#include <atomic>

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "common/redis/redis_connection.h"

namespace phasor::redis {
namespace {

using Addresses = std::vector<std::string>;

TEST(NameLookupTest, ANumericAddressIsItsOwnAnswerAndNobodyIsAsked) {
  NameLookup names([](const std::string&) -> StatusOr<Addresses> {
    ADD_FAILURE() << "asked";
    return Unavailable("");
  });
  for (const std::string host : {"127.0.0.1", "::1", "2001:db8::7"}) {
    EXPECT_EQ(names.Find(host, Millis(0)).value(), Addresses{host});
  }
}

TEST(NameLookupTest, EachCallAsksAnewSoThatANameMayMove) {
  Addresses now = {"127.0.0.2", "127.0.0.3"};
  NameLookup names([&](const std::string&) { return now; });
  EXPECT_EQ(names.Find("redis", Millis(5'000)).value(), now);
  now = {"127.0.0.4"};
  EXPECT_EQ(names.Find("redis", Millis(5'000)).value(), now);
}

TEST(NameLookupTest, ALookupThatHangsCostsItsCallersTheirLimitAndOneThread) {
  absl::Notification release;
  std::atomic<int> asked = 0;
  NameLookup names([&](const std::string& host) -> StatusOr<Addresses> {
    if (host == "other") return Addresses{"127.0.0.9"};
    ++asked;
    release.WaitForNotification();
    return Addresses{"127.0.0.5"};
  });
  for (int i = 0; i < 5; ++i) {
    const Status status = names.Find("redis", Millis(10)).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_NE(Message(status).find("redis"), std::string::npos) << status;
  }
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(names.Find("other", Millis(5'000)).ok()) << "other names are not held up";
  release.Notify();
  EXPECT_TRUE(names.Find("redis", Millis(5'000)).ok());
}

TEST(NameLookupTest, TheSystemKnowsItsOwnNameAndNotEveryOther) {
  EXPECT_FALSE(NameLookup().Find("localhost", Millis(20'000)).value().empty());
  const Status status = NameLookup().Find("no.such.name.invalid", Millis(20'000)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
}

TEST(NameLookupTest, AConnectionToANameThatHangsKeepsToItsTimeLimit) {
  const auto release = std::make_shared<absl::Notification>();  // the lookup outlives the test
  RedisOptions options;
  options.address.host = "redis";
  options.connect_timeout = Millis(50);
  options.names =
      std::make_shared<NameLookup>([release](const std::string&) -> StatusOr<Addresses> {
        release->WaitForNotification();
        return Unavailable("");
      });
  const SteadyTime start = std::chrono::steady_clock::now();
  const Status status = RedisConnection::Connect(options).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(Message(status).find("redis:6379"), std::string::npos) << status;
  EXPECT_LT(SecondsBetween(start, std::chrono::steady_clock::now()), 5.0);
  release->Notify();
}

}  // namespace
}  // namespace phasor::redis
